"""The key figures."""

from __future__ import annotations

import math

from experiments.report.data import Candidate, ChosenNetwork, NamedQuantity, ReportData, ReportMetric, SearchRun
from experiments.report.formats import (
    MINUS,
    THIN,
    duration,
    grouped,
    power_of_ten,
    quantity_text,
    significant,
    sources,
    spread_text,
)
from experiments.report.names import algorithm_title
from experiments.report.panel import PANELS, Panel, Tile, Tiles

WEIGHTS = {"_fine_tuned": "fine-tuned", "_re_trained": "re-trained", "": "inherited"}
"""By the suffix of their quantities; the first of equals counts."""


@PANELS.register("overview")
def overview(data: ReportData) -> Panel:
    """Return the panel."""
    tiles = [
        _front_size(data),
        _test_score(data),
        _against_random(data),
        _evaluated(data),
        _space(data),
        _time(data),
    ]
    return Panel("overview", "Key figures", "Overview", 10, (Tiles([tile for tile in tiles if tile]),))


def _candidates(data: ReportData, on_front: bool) -> list[Candidate]:
    return [c for front in data.fronts for c in front.candidates if c.on_front or not on_front]


def _front_size(data: ReportData) -> Tile | None:
    members = _candidates(data, on_front=True)
    if not members:
        return None
    counts = [sum(c.on_front for c in front.candidates) for front in data.fronts]
    note = f"{' / '.join(map(str, counts))} on the {len(counts)} targets" if len(counts) > 1 else data.fronts[0].target
    obtained = sources(quantity for c in members for quantity in (c.accuracy, c.latency_ms))
    return Tile("Networks on a front", grouped(len({c.key for c in members})), note, obtained)


def _evaluated(data: ReportData) -> Tile | None:
    candidates = _candidates(data, on_front=False)
    if not candidates:
        return None
    obtained = sources(c.accuracy for c in candidates)
    return Tile("Networks compared", grouped(len({c.key for c in candidates})), "on validation data", obtained)


def best_on_validation(
    networks: tuple[ChosenNetwork, ...], metric: ReportMetric
) -> tuple[ChosenNetwork, NamedQuantity] | None:
    """Return the chosen network that is best on validation data and has a test score, with that score.

    Taking the best *test* score would be a choice made on test data, so the validation data chooses.
    """
    best: tuple[float, ChosenNetwork, NamedQuantity] | None = None
    for network in networks:
        by_name = {quantity.name: quantity for quantity in network.quantities}
        for suffix in WEIGHTS:
            test = by_name.get(f"test_{metric.name}{suffix}")
            validation = by_name.get(f"validation_{metric.name}{suffix}") or by_name.get(f"validation_{metric.name}")
            score = metric.rank(validation.quantity.value) if validation else -math.inf
            if test and (best is None or score > best[0]):
                best = score, network, test
    return best[1:] if best else None


def _test_score(data: ReportData) -> Tile | None:
    best = best_on_validation(data.networks, data.metric)
    if best is None:
        return None
    network, accuracy = best
    spread = spread_text(accuracy.quantity)
    weights = next(weights for suffix, weights in WEIGHTS.items() if accuracy.name.endswith(suffix))
    note = f"{spread + ' · ' if spread else ''}{network.label}, {weights} weights: the best on validation data"
    return Tile(f"Test {data.metric.title}", quantity_text(accuracy.quantity), note, (accuracy.quantity.obtained,))


def rival(data: ReportData) -> tuple[SearchRun, SearchRun] | None:
    """Return the (search, random search) to compare, or None when either is absent."""
    random = next((run for run in data.search.runs if run.algorithm == "random"), None)
    other = next((run for run in data.search.runs if run.algorithm != "random"), None)
    return (other, random) if other and random else None


def _against_random(data: ReportData) -> Tile | None:
    pair = rival(data)
    if pair is None or pair[1].final <= 0:
        return None
    search, random = pair
    gain = 100 * (search.final / random.final - 1)
    value = f"{'+' if gain >= 0 else MINUS}{abs(gain):.1f}{THIN}%"
    note = f"{algorithm_title(search.algorithm)} {significant(search.final)}, random search {significant(random.final)}"
    return Tile("Hypervolume against random", value, note, data.search.obtained)


def _space(data: ReportData) -> Tile:
    size = int(data.study.space.size)
    return Tile("Networks in the space", power_of_ten(size), data.study.space.name, ("analytic",))


def _time(data: ReportData) -> Tile | None:
    if not data.study.stage_seconds:
        return None
    longest, seconds = max(data.study.stage_seconds, key=lambda item: item[1])
    total = sum(seconds for _, seconds in data.study.stage_seconds)
    return Tile("Time", duration(total), f"longest: {longest}, {duration(seconds)}", ("measured",))
