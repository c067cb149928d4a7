from __future__ import annotations

from experiments.report.table import EvaluatedTable, TableKnob, table_knobs, thinned


def test_knobs_have_their_values_in_order_and_minus_one_where_they_are_inactive() -> None:
    found = table_knobs([{"depth": 3, "kind": "b"}, {"depth": 1}, {"depth": 3, "kind": "a", "late": 0.5}])
    assert found == (
        TableKnob(name="depth", values=(1, 3), index=(1, 0, 1)),
        TableKnob(name="kind", values=("a", "b"), index=(1, -1, 0)),
        TableKnob(name="late", values=(0.5,), index=(-1, -1, 0)),
    )
    assert table_knobs([]) == ()


def test_a_thinned_table_keeps_what_must_be_there_and_counts_what_of_a_front_is_left_out() -> None:
    table = EvaluatedTable(keys=tuple(map(str, range(100))), labels=("",) * 100, chosen=(50,), num_evaluated=100)
    found = thinned(table, fronts=range(40, 100), always=[99, 61], limit=10)
    assert {"50", "61", "99"} <= set(found.keys)
    assert len(found.keys) == 10
    assert found.num_front_left_out == 60 - sum(int(key) >= 40 for key in found.keys)
    assert found.num_evaluated == 100
    assert thinned(table, (), (), limit=100) is table
