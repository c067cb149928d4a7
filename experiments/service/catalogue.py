"""What the service knows of studies, by id; what is dear to make is kept until it changes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from experiments.live import live_report
from experiments.report.data import ReportData
from experiments.report.panel import Panel, make_panels
from experiments.store.store import Store, Study, StudySummary
from search_spaces.errors import UsageError

KEPT_REPORTS = 8
MAX_FILE_NAME = 255


class NotFound(UsageError):  # noqa: N818 - answered with 404
    """There is nothing under this id."""


def made_id(*parts: str) -> str:
    """Return the id of a thing by its names: 16 hexadecimal digits; no name is ever part of an address or a path."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Shown:
    """What a study shows at one moment; ``version`` changes with everything that could change it."""

    version: Any
    report: ReportData
    panels: tuple[Panel, ...]


class Catalogue:
    """The studies of one store and one folder.

    Attributes:
        store: where studies are remembered.
        out: the folder of all studies.
    """

    def __init__(self, store: Store, out: Path) -> None:
        self.store = store
        self.out = out
        self._reports: dict[int, Shown] = {}
        self._settings: dict[int, dict[str, Any]] = {}
        self._lock = Lock()

    def summaries(self) -> dict[int, StudySummary]:
        """Return every study by id, oldest first."""
        return {summary.id: summary for summary in self.store.studies()}

    def summary(self, study_id: int) -> StudySummary:
        """Return one study's line.

        Raises:
            NotFound: there is no such study.
        """
        found = self.store.studies(after=study_id - 1, limit=1)
        if not found or found[0].id != study_id:
            raise NotFound(f"there is no study with id {study_id}: GET /api/studies lists them")
        return found[0]

    def study(self, study_id: int) -> Study:
        """Return the study of this id, as ``summary``."""
        return self.store.load(self.summary(study_id).name)

    def settings(self, summary: StudySummary) -> dict[str, Any]:
        """Return a study's settings, which never change."""
        if summary.id not in self._settings:
            self._settings[summary.id] = self.store.load(summary.name).settings
        return self._settings[summary.id]

    def folder(self, study: Study) -> Path:
        """Return the folder of a study's files; a name that is no plain file name has none that could exist."""
        name = study.name
        plain = name not in (".", "..") and not set(name) & set("/\\") and len(os.fsencode(name)) <= MAX_FILE_NAME
        return self.out / (name if plain else f".no-folder-{made_id(name)}")

    def report(self, study_id: int) -> ReportData:
        """Return everything that the panels of a study are made of now."""
        return self.shown(study_id).report

    def shown(self, study_id: int) -> Shown:
        """Return report and panels of a study now, made again only when something was finished since."""
        summary = self.summary(study_id)
        study = self.store.load(summary.name)
        folder = self.folder(study)
        written = folder / "report.json"
        stamp = written.stat().st_mtime_ns if written.is_file() else 0
        version = (summary.updated_at, summary.num_evaluations, summary.state, stamp)
        kept = self._reports.get(study_id)
        if kept is not None and kept.version == version:
            return kept
        # One at a time: ten panels that ask together wait for one report instead of making ten.
        with self._lock:
            kept = self._reports.get(study_id)
            if kept is not None and kept.version == version:
                return kept
            report = live_report(study, summary, folder)
            while len(self._reports) >= KEPT_REPORTS:
                self._reports.pop(next(iter(self._reports)))
            made = Shown(version, report, tuple(make_panels(report)))
            self._reports[study_id] = made
            return made
