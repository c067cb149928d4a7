"""A study whose networks are looked up in a table and not trained: no torch, no data, an evaluation takes no time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from experiments.config import STUDY_NAME, Frozen
from experiments.config_problems import at, first_problem
from experiments.context import make_folder
from experiments.made_table import Table, made_table
from experiments.store.store import Study
from experiments.talk import Talk
from nas.files import write_text
from nas.search.algorithm import SearchAlgorithm, algorithms
from nas.search.objectives import Objective, Values
from nas.search.search import SearchResult, run_search
from predictors.measurement import Measurement
from search_spaces.errors import UsageError
from search_spaces.space import Genes
from search_spaces.spaces import space as make_space


class TableSettings(Frozen):
    """Where the values come from.

    Attributes:
        source: ``made`` (a formula over ``space``), or ``nb201`` (the public table of 15,625 cells).
        path: of nb201: the folder that holds nb201/architectures.parquet and latency*.parquet.
        accuracy: column of nb201's table.
        target: device of nb201's table.
        evaluation_s: seconds that each evaluation is made to take.
    """

    source: Literal["made", "nb201"] = "made"
    path: str = ""
    accuracy: str = "test_acc_cifar100"
    target: str = "1080ti_256"
    evaluation_s: float = Field(0.0, ge=0)


class TabularSearch(Frozen):
    """The search: as in the configuration of a study that trains."""

    algorithm: str = "nsga2"
    settings: dict[str, Any] = Field({})
    evaluations: int = Field(120, ge=1)


class TabularConfig(Frozen):
    """All settings of a tabular study."""

    name: str = Field(pattern=STUDY_NAME)
    seed: int = Field(0, ge=0, lt=2**63)
    table: TableSettings
    space: dict[str, Any] = Field({"name": "ofa_mobilenet", "form": "small_image"})
    search: TabularSearch = TabularSearch()


def make_tabular_config(content: Mapping[str, Any], source: str) -> TabularConfig:
    """Return the settings of plain data; ``source`` names it in messages.

    Raises:
        UsageError: a key or value is not allowed; its path is shown.
    """
    try:
        config = TabularConfig.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{source}: {first_problem(error, TabularConfig)}") from None
    with at(f"{source}: search"):
        kind = algorithms.get(config.search.algorithm)
        try:
            kind.Settings.model_validate(config.search.settings)
        except ValidationError as error:
            raise UsageError(first_problem(error, kind.Settings, ("settings",))) from None
    return config


def make_table(config: TabularConfig) -> Table:
    """Return the table of the settings."""
    if config.table.source == "made":
        return made_table(make_space(**config.space))
    from experiments.benchmarks.search_problems import CellTable

    table = CellTable.read(Path(config.table.path), config.table.accuracy, config.table.target)
    problem = table.problem(config.table.target)
    return Table(problem.space, problem.objectives, problem.evaluate, problem.box, "table")


def make_algorithm(config: TabularConfig, table: Table) -> SearchAlgorithm:
    """Return the algorithm of the settings, fresh."""
    kind = algorithms.get(config.search.algorithm)
    return kind(table.space, table.objectives, kind.Settings(**config.search.settings), config.seed)


def run_tabular(config: TabularConfig, study: Study, out: Path, talk: Talk) -> SearchResult:
    """Run, or go on with, a tabular study that is taken; its front is written to ``out/NAME/front.json``."""
    folder = make_folder(out / config.name)
    table = make_table(config)
    with talk.progress(f"search ({config.search.algorithm})", config.search.evaluations) as progress:
        result = run_search(
            make_algorithm(config, table),
            _Lookups(config, study, table),
            config.search.evaluations,
            table.box,
            on_generation=lambda generation: progress(generation.num_evaluations),
        )
    write_text(folder / "front.json", json.dumps(_front(table, result), indent=1) + "\n")
    study.add_artifact("front.json", folder / "front.json", root=folder)
    return result


class _Lookups:
    """Values by genes: those that are stored, and others as they are asked for, each a committed row."""

    def __init__(self, config: TabularConfig, study: Study, table: Table) -> None:
        self._seconds, self._study, self._table = config.table.evaluation_s, study, table
        self._known = {key: row["values"] for key, row in study.done("evaluation").items()}

    def __call__(self, genes: Genes) -> Values:
        values = self._table.evaluate(genes)
        for row, architecture in enumerate(self._table.space.decode(genes)):
            key = architecture.key
            if key not in self._known:
                self._study.begin("evaluation", key)
                time.sleep(self._seconds)
                found = [self._measurement(*pair) for pair in zip(self._table.objectives, values[row], strict=True)]
                self._known[key] = values[row].tolist()
                self._study.finish("evaluation", key, {"values": self._known[key]}, found, architecture)
            values[row] = self._known[key]
        return values

    def _measurement(self, objective: Objective, value: float) -> Measurement:
        quantity = objective.name.partition("@")[0]
        return Measurement(quantity, float(value), objective.unit, self._table.obtained, target=objective.target)


def _front(table: Table, result: SearchResult) -> dict[str, Any]:
    rows = np.flatnonzero(result.front)
    names = [objective.name for objective in table.objectives]
    return {
        "objectives": {objective.name: objective.unit for objective in table.objectives},
        "obtained": table.obtained,
        "hypervolume": result.hypervolumes[-1][1],
        "evaluations": len(result.genes),
        "front": [
            {"key": architecture.key, **dict(zip(names, values, strict=True))}
            for architecture, values in zip(
                table.space.decode(result.genes[rows]), result.values[rows].tolist(), strict=True
            )
        ],
    }
