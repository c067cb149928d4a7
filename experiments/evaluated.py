"""The table of a study's evaluated networks, from the database and the report; it works while a study runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.report.names import quantity_title
from experiments.report.table import MAX_ROWS, EvaluatedTable, TableColumn, table_knobs, thinned
from nas.tasks import metrics
from predictors.measurement import Obtained
from search_spaces.errors import NasError

if TYPE_CHECKING:
    from experiments.report.data import Front, ReportData
    from experiments.store.records import Records
    from search_spaces.space import Genes, SearchSpace

METRICS = tuple(metrics())
MAXIMISED = ("share", "throughput", *(name for name, metric in metrics().items() if metric.direction == "max"))
COUNTS = ("macs", "params", "activations")


def evaluated_table(study: Records, report: ReportData | None = None) -> EvaluatedTable:
    """Return every evaluated network of ``study`` with what is known of it.

    Measurements come from the database, latencies and counts from ``report`` where the study got that far (then with
    the networks of its own algorithm alone, not of those it is compared with); until then the counts are made here, in
    closed form.
    """
    knobs, values = _measured(study)
    candidates = {c.key: c for front in (report.fronts if report else ()) for c in front.candidates}
    if candidates:
        knobs = {key: each for key, each in knobs.items() if key in candidates}
    keys = list(knobs)
    columns = [_measured_column(name, unit, sources, found, keys) for (name, unit), (sources, found) in values.items()]
    columns.sort(key=lambda column: not any(name in column.name for name in METRICS))
    names = {column.name for column in columns}
    further = [*(_report_columns(report, keys) if report else ()), *_counted(keys, knobs, names, report)]
    columns += [column for column in further if column.name not in names]
    chosen = {key for key, candidate in candidates.items() if candidate.chosen}
    return EvaluatedTable(
        keys=tuple(keys),
        labels=tuple(candidates[key].label if key in candidates else "" for key in keys),
        chosen=tuple(row for row, key in enumerate(keys) if key in chosen),
        columns=tuple(columns),
        knobs=table_knobs(list(knobs.values())),
        num_evaluated=len(keys),
    )


def _measured(
    study: Records,
) -> tuple[dict[str, Any], dict[tuple[str, str], tuple[set[Obtained], dict[str, float | None]]]]:
    """Return the knobs by architecture, and by (quantity, unit) how it was obtained and its value by architecture."""
    from experiments.store.evaluations import column_name

    architectures, knobs = study.architectures(), dict[str, Any]()
    values: dict[tuple[str, str], tuple[set[Obtained], dict[str, float | None]]] = {}
    for key, quantity, target, unit, obtained, value in study.evaluated():
        if key not in knobs:
            knobs[key] = json.loads(architectures[key])["knobs"]
        sources, found = values.setdefault((column_name(quantity, target), unit), (set(), {}))
        sources.add(obtained)
        found[key] = value
    return knobs, dict(sorted(values.items()))


def _measured_column(
    name: str, unit: str, sources: set[Obtained], found: Mapping[str, float | None], keys: Sequence[str]
) -> TableColumn:
    return _column(name, unit, tuple(sorted(sources)), [found.get(key) for key in keys])


def _column(name: str, unit: str, obtained: Sequence[Obtained], values: Sequence[float | None]) -> TableColumn:
    quantity, _, target = name.partition("@")
    direction: Literal["min", "max"] = "max" if any(word in quantity for word in MAXIMISED) else "min"
    known = [None if value is None or not math.isfinite(value) else float(value) for value in values]
    title = f"{quantity_title(quantity)} on {target}" if target else quantity_title(quantity)
    return TableColumn(
        name=name, title=title, unit=unit, direction=direction, obtained=tuple(obtained), values=tuple(known)
    )


def _report_columns(report: ReportData, keys: Sequence[str]) -> list[TableColumn]:
    """Return the latency on every target of the report, and the counts."""
    if not report.fronts:
        return []
    columns = [_latency_column(front, keys) for front in report.fronts]
    by_key = {candidate.key: candidate for candidate in report.fronts[0].candidates}
    for name in COUNTS:
        found = [getattr(by_key[key], name) if key in by_key else None for key in keys]
        columns.append(_column(name, "count", ("analytic",), found))
    return columns


def _latency_column(front: Front, keys: Sequence[str]) -> TableColumn:
    found = {candidate.key: candidate.latency_ms for candidate in front.candidates}
    obtained = tuple(sorted({latency.obtained for latency in found.values()}))
    values = [found[key].value if key in found else None for key in keys]
    return _column(f"latency_ms@{front.target}", "ms", obtained, values)


def _counted(
    keys: Sequence[str], knobs: Mapping[str, Any], present: set[str], report: ReportData | None
) -> list[TableColumn]:
    """Return the counts in closed form where nothing else gives them; none where the space is not known here."""
    if not keys or present & set(COUNTS) or (report and report.fronts) or report is None:
        return []
    from search_spaces.population import PopulationCost
    from search_spaces.spaces import space

    try:
        family = space(report.study.space.name, **report.study.space.settings)
        counts = PopulationCost(family).counts(_genes(family, [knobs[key] for key in keys]))
    except NasError:
        return []
    order = ("params", "macs", "activations")
    return [_column(name, "count", ("analytic",), counts[:, order.index(name)].tolist()) for name in COUNTS]


def _genes(family: SearchSpace, choices: Sequence[Mapping[str, Any]]) -> Genes:
    """Return the genes of stored networks; these were checked before they were stored, and are not again."""
    columns = [
        [place[each[knob.name]] if knob.name in each else -1 for each in choices]
        for knob in family.knobs
        for place in [{value: index for index, value in enumerate(knob.values)}]
    ]
    return family.canonical(np.array(columns).T)


def asked_evaluations(settings: Mapping[str, Any]) -> int | None:
    """Return how many evaluations a study's settings ask for, of all its algorithms; None where they do not say."""
    search = settings.get("search") or {}
    asked = search.get("evaluations")
    algorithms = 1 + len(set(search.get("compare") or ()) - {search.get("algorithm")})
    return asked * algorithms if isinstance(asked, int) else None


def minimised(table: EvaluatedTable, names: Sequence[str]) -> NDArray[np.float64]:
    """Return the named columns as points to minimise, (n, len(names)); unknown values are NaN."""
    columns = []
    for name in names:
        column = table.column(name)
        assert column is not None
        values = np.array([np.nan if value is None else value for value in column.values], dtype=np.float64)
        columns.append(-values if column.direction == "max" else values)
    return np.column_stack(columns)


def thin(table: EvaluatedTable) -> EvaluatedTable:
    """Return about ``MAX_ROWS`` rows: chosen networks, the best and knees, fronts and evenly many of the rest.

    The fronts are those of the first column against any other.
    """
    if len(table.keys) <= MAX_ROWS or not table.columns:
        return thinned(table, (), ())
    from nas.search.pareto import non_dominated
    from nas.search.selection import knee_of

    first, *others = table.columns
    fronts, always = set[int](), set[int]()
    for other in others:
        points = minimised(table, (first.name, other.name))
        rows = np.flatnonzero(non_dominated(points))
        if len(rows):
            fronts.update(rows.tolist())
            always.update(rows[[*points[rows].argmin(axis=0), knee_of(points[rows])]].tolist())
    by_first = minimised(table, [first.name])[:, 0]
    return thinned(table, sorted(fronts, key=lambda row: (by_first[row], row)), always)
