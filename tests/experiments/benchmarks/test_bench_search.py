from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from table_files import write_nb201

from experiments.benchmarks import benchmarks, search_problems
from experiments.benchmarks.search import evaluation_counts, evaluations_needed
from experiments.benchmarks.search_problems import NB201_CELLS, CellTable, OfaSurrogate
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.spaces import space

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_nb201(folder, NB201_CELLS)
    return folder


def test_shares_grow_with_evaluations(tables: Path) -> None:
    found = benchmarks.get("search")(tables, target="card", evaluations="20,60", algorithms="random,nsga2", seeds=2)
    rows = found["results"]
    assert [(row["algorithm"], row["evaluations"]) for row in rows] == [
        ("random", 20),
        ("random", 60),
        ("nsga2", 20),
        ("nsga2", 60),
    ]
    for few, many in (rows[:2], rows[2:]):
        assert 0 < few["hypervolume_share"] <= many["hypervolume_share"] <= 1
        assert many["points_lost_q50"] <= few["points_lost_q50"]
        assert many["limits_missed"] == 0
    assert found["problems"][0]["num_networks"] == NB201_CELLS


def test_the_whole_table_is_the_whole_front(tables: Path) -> None:
    table = CellTable.read(tables, "test_acc_cifar100", "card,chip")
    problem = table.problem("chip")
    values = problem.evaluate(table.genes)
    np.testing.assert_array_equal(values, np.column_stack([table.accuracy, table.latency_ms["chip"]]))
    assert problem.share(values) == pytest.approx(1.0)
    assert problem.gaps(values) == pytest.approx({"q25": 0.0, "q50": 0.0, "q75": 0.0})
    assert 1 < evaluations_needed(problem, values) <= NB201_CELLS  # type: ignore[operator]
    assert evaluations_needed(problem, values[:1]) is None
    slow = values[values[:, 1] > problem.limits["q75"]]
    assert np.isnan(list(problem.gaps(slow).values())).all()


def test_one_search_for_two_targets_beside_one_for_each(tables: Path) -> None:
    found = benchmarks.get("search")(
        tables, target="card,chip", evaluations="20", algorithms="ehvi", seeds=1, costs="known", together=True
    )
    [row] = found["results"]
    assert row["targets"] == 2
    assert 0 < row["together"] <= row["together_at_1.3"] <= 1
    assert 0 < row["alone"] <= 1
    if row["evaluations_together"] is not None:
        assert row["ratio"] == pytest.approx(row["evaluations_together"] / 20)


def test_an_algorithm_may_stop_before_the_others(tables: Path) -> None:
    found = benchmarks.get("search")(tables, target="chip", evaluations="10,20", algorithms="random:10,nsga2", seeds=1)
    looked = [(row["algorithm"], row["evaluations"]) for row in found["results"]]
    assert looked == [("random", 10), ("nsga2", 10), ("nsga2", 20)]


def test_no_choice_under_a_bound_is_above_it(tables: Path) -> None:
    found = benchmarks.get("search")(
        tables, target="chip", evaluations="24", algorithms="ehvi", seeds=1, latency_samples=20, finalists=10
    )
    assert [row["bound"] for row in found["results"]] == ["q25", "q50", "q75"]
    for row in found["results"]:
        assert row["violations"] == 0
        assert row["unanswered"] == 0
        assert row["points_lost"] >= 0
        assert 1 <= row["finalists_timed"] <= 10
    assert found["mean"][0]["violations"] == 0


def test_bad_input_is_named(tables: Path, tmp_path: Path) -> None:
    bench = benchmarks.get("search")
    with pytest.raises(UsageError, match="unknown target 'cart': did you mean 'card'"):
        bench(tables, target="cart")
    with pytest.raises(UsageError, match="unknown accuracy of nb201 'cifar'"):
        bench(tables, accuracy="cifar")
    with pytest.raises(UsageError, match="unknown search algorithm 'nsga'"):
        bench(tables, algorithms="nsga")
    with pytest.raises(UsageError, match="each once"):
        bench(tables, algorithms="random,random")
    with pytest.raises(UsageError, match="algorithms got random:10: give a whole number of evaluations from 50"):
        bench(tables, algorithms="random:10")
    with pytest.raises(UsageError, match="costs is 'free'"):
        bench(tables, costs="free")
    with pytest.raises(UsageError, match="unknown space to search 'fbnet': allowed: nb201, ofa"):
        bench(tables, "fbnet")
    with pytest.raises(UsageError, match="not of a search together"):
        bench(tables, together=True, latency_samples=20)
    with pytest.raises(UsageError, match="are of nb201"):
        bench(tables, "ofa", latency_samples=20)
    for text in ("50,x", "0", "-3", ""):
        with pytest.raises(UsageError, match="evaluations got"):
            evaluation_counts(text)
    write_nb201(tmp_path)
    with pytest.raises(UsageError, match="120 distinct cells in 120 rows: a search needs all 15625"):
        bench(tmp_path, target="card")


def test_the_surrogate_of_ofa_states_its_error() -> None:
    if not (DATA / "ofa" / "accuracy.parquet").is_file():
        pytest.skip("the public tables are not at ../shared/data")
    surrogate = OfaSurrogate.fit(DATA, 0)
    assert surrogate.facts["hold_out_rmse_points"] < 0.15
    ends = surrogate.space.encode([surrogate.space.smallest(), surrogate.space.largest()])
    for values in (surrogate.accuracy(ends), surrogate.macs(ends)):
        assert values[0] < values[1]


def test_ofa_is_searched_on_targets_alone_and_together(monkeypatch, tmp_path) -> None:
    found = space("ofa_mobilenet", resolutions=(224,))
    cost = PopulationCost(found)

    def macs(genes):
        return cost.counts(genes)[:, 1].astype(np.float64)

    surrogate = OfaSurrogate(found, lambda genes: 100 - 1e9 / macs(genes) - genes[:, -1], macs, {"obtained": "made up"})
    monkeypatch.setattr(OfaSurrogate, "fit", lambda directory, seed: surrogate)
    monkeypatch.setattr(search_problems, "FRONT_GENERATIONS", 3)
    bench = benchmarks.get("search")
    names = "macs,t4:fp16:b64,orin:fp16:b1"
    alone = bench(tmp_path, "ofa", target=names, evaluations="10", algorithms="random", seeds=1)
    assert [row["target"] for row in alone["results"]] == names.split(",")
    assert [row["cost_obtained"] for row in alone["problems"]] == ["counted", "analytic", "analytic"]
    shares = [row["hypervolume_share"] for row in alone["results"]]
    assert all(0 < share <= 1.1 for share in shares)
    together = bench(tmp_path, "ofa", target=names, evaluations="10", algorithms="random", seeds=1, together=True)
    (row,) = together["results"]
    assert row["targets"] == 3
    # Random draws do not look at the targets: one search finds what each alone finds.
    assert row["together"] == row["alone"] == pytest.approx(np.mean(shares), abs=1e-5)
    with pytest.raises(UsageError, match="unknown target 'nonesuch'"):
        bench(tmp_path, "ofa", target="nonesuch:fp16:b1")
