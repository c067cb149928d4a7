"""The files of a study that can be downloaded: those in the database, by ids that the server made."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.report.data import ExportedFile
from experiments.service.catalogue import Catalogue, made_id
from experiments.service.shapes import ArtifactLine
from experiments.store.records import Records


def artifacts_of(study: Records) -> dict[str, ExportedFile]:
    """Return the files of a study by id: what its stages noted and what its exports wrote below its folder."""
    files = [ExportedFile(name=a.path, num_bytes=a.num_bytes, sha256=a.sha256) for a in study.artifacts()]
    for exported in study.done("export").values():
        files.extend(ExportedFile.model_validate(file) for file in exported.get("files", ()))
    return {made_id(study.name, file.name): file for file in files}


def network_artifacts(studies: Catalogue, study_id: int, files: Iterable[ExportedFile]) -> tuple[ArtifactLine, ...]:
    """Return those of ``files`` that can be downloaded."""
    study = studies.study(study_id)
    known = artifacts_of(study)
    found = []
    for file in files:
        identity = made_id(study.name, file.name)
        if identity in known:
            found.append(ArtifactLine(id=identity, name=file.name, num_bytes=file.num_bytes, sha256=file.sha256))
    return tuple(found)
