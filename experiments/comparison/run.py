"""A comparison from its configuration to its table, CSV and page; the same call goes on after a kill."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparison.findings import Results, at_equal_latency, comparison_rows
from experiments.comparison.latency import latencies
from experiments.comparison.settings import CompareConfig
from experiments.comparison.training import run_trials
from experiments.comparison.trials import check_base, trials_of
from experiments.context import make_folder
from experiments.talk import Talk
from nas.files import write_text
from scaling.comparison import compare_rules
from scaling.rule import scaling_rule

if TYPE_CHECKING:
    from search_spaces.blueprint import Blueprint
    from search_spaces.layers import Cost


def compare(config: CompareConfig, out: Path, talk: Talk, processes: int = 1, ray: str | None = None) -> dict[str, Any]:
    """Scale, time, train and write ``compare.json``, ``compare.csv`` and ``compare.html``; return the findings.

    Args:
        config: what is compared.
        out: folder in which the comparison's own is made.
        talk: what a person is told.
        processes: trials at a time, each on one thread.
        ray: trials on Ray Tune instead.

    Raises:
        UsageError: the base can't be read, or fits the data not.
        NasError: as training raises.
    """
    from experiments.machine import machine, versions
    from experiments.report.comparison_page import write_comparison
    from search_spaces.block import cost

    def count(blueprint: Blueprint) -> Cost:
        return cost(blueprint, config.counting)

    base = config.base.blueprint()
    images = check_base(config, base) if config.training else 0
    folder = make_folder(out / config.name)
    compared, refused = compare_rules(base, [scaling_rule(name) for name in config.rules], config.factors, count)
    for each in refused:
        talk.warn(each.reason)
    single = [each.scaled.blueprint for each in compared if each.scaled.scales == (1,)]
    networks = list(dict.fromkeys([base, *single]))
    timed = latencies(config.targets, networks, config.rounds, folder, talk)
    by_network = {name: dict(zip(networks, found, strict=True)) for name, found in timed.items()}
    results = _trained(config, networks, folder, talk, processes, ray)
    rows = comparison_rows(base, count(base), compared, by_network, results, config.seeds)
    readings = [at_equal_latency(rows, name, len(config.factors)) for name in timed]
    content = {
        "comparison": config.name,
        "settings": config.model_dump(mode="json"),
        "training_images": images,
        "counting": config.counting,
        "rows": rows,
        "refused": [{"rule": each.rule, "factor": each.factor, "reason": each.reason} for each in refused],
        "equal_latency": [each for each in readings if each is not None],
        "machine": machine(),
        "versions": versions(),
    }
    write_text(folder / "compare.json", json.dumps(content, indent=1) + "\n")
    write_text(folder / "compare.csv", as_csv(rows))
    write_comparison(content, folder / "compare.html")
    return content


def _trained(
    config: CompareConfig, networks: Sequence[Blueprint], folder: Path, talk: Talk, processes: int, ray: str | None
) -> Results:
    trials = trials_of(config, networks)
    found = run_trials(trials, folder, talk, processes, ray)
    return {(trial.blueprint, trial.seed): row for trial, row in zip(trials, found, strict=True)}


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the findings with its tables spread over columns, as ``latency_ms@cpu:fp32:b1``."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key == "latency":
            for target, timing in value.items():
                found |= {f"{name}@{target}": each for name, each in timing.items() if name != "notes"}
        elif isinstance(value, Mapping):
            found |= {f"{key}.{name}": each for name, each in value.items()}
        elif isinstance(value, list):
            found[key] = " ".join(map(str, value))
        else:
            found[key] = value
    return found


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as CSV, one a network; what a row has not is empty."""
    spread = [flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in spread for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(spread)
    return text.getvalue()
