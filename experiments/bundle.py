"""Measuring on a device elsewhere: a folder of ONNX files and one script to take there, and its result brought back."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from experiments.subjects import Subject
from predictors.target import Target, parse_target
from search_spaces.errors import StorageError, UsageError

FORMAT, RESULT, VERSION = "nas-bundle", "nas-bundle-result", 1
NUMBERS = ("latency_ms", "spread_ms", "p95_ms")


def write_bundle(subjects: Sequence[Subject], where: Target, folder: Path) -> Path:
    """Write the networks, ``bundle.json`` and ``run.py`` into ``folder``, which is made, and return it.

    Args:
        subjects: networks; each has a name of its own.
        where: the target to run on; its runtime is ``onnxruntime`` or ``tensorrt``.
        folder: empty or new.

    Raises:
        UsageError: another runtime, no network, two of one name, or a folder with files in it.
        StorageError: the folder can't be written.
    """
    from experiments.measuring import batched, write_subject

    _check(subjects, where, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for number, subject in enumerate(subjects):
            path = write_subject(subject, folder / f"{number:03d}-{_file_name(subject.name)}.onnx")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            entries.append(
                {"name": subject.name, "file": path.name, "sha256": digest, "shape": batched(subject, where)}
            )
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "target": where.name,
            "kind": where.device.kind,
            "runtime": where.runtime,
            "precision": where.precision,
            "networks": entries,
        }
        (folder / "bundle.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        (folder / "run.py").write_text((files("experiments") / "bundle_run.py").read_text(encoding="utf-8"), "utf-8")
    except OSError as error:
        raise StorageError(f"can't write the bundle to {folder} ({error.strerror}): give another folder") from None
    return folder


def read_result(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a bundle's ``result.json``, labelled measured on its target.

    Raises:
        UsageError: no such result; another unit than milliseconds; rows that are missing, unknown, doubled, or hold no
            positive latency: counted and named, and then none is read.
    """
    content = _content(path)
    target = parse_target(str(content.get("target"))).text
    if content.get("unit") != "ms":
        raise UsageError(f"{path}: unit is {content.get('unit')!r}: results are in 'ms': run the bundle's run.py again")
    rows = content.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: rows are missing: run the bundle's run.py again")
    problems = _problems(rows, [str(entry["name"]) for entry in content["networks"]])
    if problems:
        raise UsageError(f"{path}: {'; '.join(problems)}: run the bundle's run.py again; no row was read")
    return [_row(row, target, content.get("versions") or {}) for row in rows]


def _check(subjects: Sequence[Subject], where: Target, folder: Path) -> None:
    if where.runtime not in ("onnxruntime", "tensorrt"):
        raise UsageError(
            f"--bundle got target {where.name!r}: a bundle runs by onnxruntime or tensorrt: add one of them to the "
            f"target, as {where.device.name}:{where.precision}:b{where.batch_size}:onnxruntime"
        )
    doubled = [name for name, count in Counter(subject.name for subject in subjects).items() if count > 1]
    if doubled or not subjects:
        raise UsageError(
            f"--bundle got {len(subjects)} networks, twice: {', '.join(doubled) or 'none'}: give each once"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--bundle got {str(folder)!r}, which has content: give a new folder")


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", Path(name).name)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}: give the result.json of a bundle") from None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}): give the result.json of a bundle") from None
    known = isinstance(content, dict) and (content.get("format"), content.get("version")) == (RESULT, VERSION)
    if not known or not _has_networks(content):
        raise UsageError(f"{path} is no result of a bundle: give the result.json that its run.py wrote")
    found: dict[str, Any] = content
    return found


def _has_networks(content: dict[str, Any]) -> bool:
    networks = content.get("networks")
    return isinstance(networks, list) and all(isinstance(entry, dict) and "name" in entry for entry in networks)


def _problems(rows: list[dict[str, Any]], networks: list[str]) -> list[str]:
    """Return what is wrong with the rows, as "2 missing (a, b)"."""
    counts = Counter(str(row.get("name")) for row in rows)
    wrong = {
        "missing": [name for name in networks if name not in counts],
        "of unknown networks": [name for name in counts if name not in networks],
        "given twice or more": [name for name, count in counts.items() if count > 1],
        "without positive numbers in ms": [str(row.get("name")) for row in rows if not _is_sound(row)],
    }
    return [f"{len(names)} {what} ({', '.join(names[:5])})" for what, names in wrong.items() if names]


def _is_sound(row: dict[str, Any]) -> bool:
    values = [row.get(key) for key in NUMBERS]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return False
    latency, spread, p95 = (float(value) for value in values if value is not None)
    return math.isfinite(latency + spread + p95) and latency > 0 and spread >= 0 and p95 > 0


def _row(row: dict[str, Any], target: str, versions: dict[str, str]) -> dict[str, Any]:
    stable = bool(row.get("stable"))
    return {
        "name": str(row["name"]),
        "kind": "network",
        "count": 1,
        "target": target,
        **{key: float(row[key]) for key in NUMBERS},
        "energy_mj": None,
        "num_runs": int(row.get("num_runs", 0)),
        "stable": stable,
        "obtained": "measured",
        "roofline_ms": None,
        "notes": "" if stable else "did not settle, or drifted",
        "versions": {str(key): str(value) for key, value in versions.items()},
    }
