"""Export any network of a finished search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.config import make_config
from experiments.context import Context, choose_device, make_folder
from experiments.front_file import read_front
from experiments.store.store import Store
from experiments.study_space import data_and_space
from experiments.talk import Talk
from predictors.measurement import Measurement
from search_spaces.errors import ConflictError, unknown

FORMATS = ("onnx", "safetensors", "torch-export")
"""The first two are always written: each is checked against the other."""


def export_one(
    store: Store, out: Path, name: str, network: str, to: Path | None, talk: Talk, formats: Sequence[str] = ()
) -> dict[str, Any]:
    """Write the network called ``network`` (key or label in front.json) of study ``name``, and return what was found.

    Raises:
        UsageError: there is no such study, network or format.
        ConflictError: the study's search is not done.
    """
    from experiments.stages.export import export_network
    from experiments.stages.fronts import Candidate
    from experiments.stages.training import train_supernetwork
    from search_spaces.block import cost, network_layers
    from search_spaces.precision import size_bytes

    for each in formats:
        if each not in FORMATS:
            raise unknown("format", each, FORMATS)
    study = store.load(name)
    config = make_config(study.settings, f"study {name!r}")
    row = _row(out / name / "front.json", name, network)
    folder = make_folder(to or out / name / "models" / str(row["label"]))
    data, space = data_and_space(config)
    device = choose_device(config.device)
    architecture = space.architecture(row["knobs"])
    with study.held("nas export"):
        context = Context(config, study, out / name, space, data.to(device), device, talk)
        if "training" not in study.done("stage"):
            raise ConflictError(f"study {name!r} is not trained to its end: run it first with nas search")
        trained = train_supernetwork(context)
        blueprint = space.blueprint(architecture)
        counted = cost(blueprint, config.counting)
        score = dict(study.measurements(quantity=f"validation_{data.task.metric.name}"))[architecture.key]
        latency, measured = _latencies(row["latency_ms"]), _latencies(row["latency_ms_measured"])
        num_bytes = size_bytes(network_layers(blueprint))
        candidate = Candidate(architecture, str(row["label"]), counted, score, latency, measured, num_bytes)
        exported = export_network(context, trained, candidate, folder)
    further = _torch_export(folder) if "torch-export" in formats else {}
    return {
        "network": row["label"],
        "key": architecture.key,
        "folder": str(folder),
        "weights": exported.weights,
        "scores": [score.model_dump() for score in exported.scores],
        "onnx": asdict(exported.onnx),
        **further,
        "files": [file["name"] for file in exported.files] + [each["file"] for each in further.values()],
    }


def _torch_export(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the exported program of the model in ``folder`` beside it."""
    from nas.export.safetensors import load_model
    from nas.export.torch_export import PROGRAM_FILE, write_torch_export

    module, info = load_model(folder)
    difference = write_torch_export(folder / PROGRAM_FILE, module, info.blueprint)
    return {"torch_export": {"max_abs_difference": difference, "file": str(folder / PROGRAM_FILE)}}


def _latencies(stored: dict[str, dict[str, Any]]) -> dict[str, Measurement]:
    """Return latencies by target name, as a row of front.json holds them."""
    return {name: Measurement(quantity="latency_ms", target=name, **found) for name, found in stored.items()}


def _row(path: Path, name: str, network: str) -> dict[str, Any]:
    """Return the row of ``network`` in a study's front.json."""
    rows = {row[key]: row for row in read_front(path, name) for key in ("key", "label")}
    if network not in rows:
        raise unknown(f"network of study {name!r}", network, [key for key in rows if key.startswith("N")])
    return rows[network]
