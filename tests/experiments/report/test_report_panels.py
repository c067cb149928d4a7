"""The panels: what each shows, what it leaves out, how its numbers are labelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from experiments.report.data import (
    Candidate,
    ChosenNetwork,
    GroupAccuracy,
    NamedQuantity,
    Quantity,
    ReportData,
    ReportMetric,
    RobustNetworks,
)
from experiments.report.page import figure_json
from experiments.report.panel import (
    PANELS,
    Bars,
    Card,
    Drawing,
    Element,
    Facts,
    Figure,
    Fold,
    Grid,
    Panel,
    Points,
    Table,
    Tiles,
    make_panels,
)
from experiments.report.panels.fronts import MAX_MEMBERS
from experiments.report.panels.overview import best_on_validation
from experiments.report.panels.predictors import MAX_POINTS
from search_spaces.layer_names import layer_names
from search_spaces.precision import policy_of, with_policy

THIN = "\u202f"


def elements(panel: Panel) -> Iterator[Element]:
    """Yield every element of a panel, the inner ones too."""
    waiting = list(panel.elements)
    while waiting:
        element = waiting.pop(0)
        yield element
        if isinstance(element, Card | Fold | Grid):
            waiting[:0] = element.elements


def of_type(panel: Panel, kind: type[Any]) -> list[Any]:
    return [element for element in elements(panel) if isinstance(element, kind)]


def panel(data: ReportData, name: str) -> Panel:
    made = PANELS.get(name)(data)
    assert made is not None
    return made


def without(data: ReportData, **parts: Any) -> ReportData:
    return data.model_copy(update=parts)


def test_panels_stand_in_order_and_empty_ones_are_left_out(report_data: ReportData, bare_data: ReportData) -> None:
    names = [made.name for made in make_panels(report_data)]
    assert names == [
        "overview", "explore", "reading", "fronts", "hypervolume", "importance", "predictors", "training", "networks",
        "changes", "scaling", "provenance",
    ]  # fmt: skip
    assert [made.name for made in make_panels(bare_data)] == ["overview", "reading", "provenance"]


def test_every_figure_is_one_that_plotly_knows(report_data: ReportData) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    figures = [figure for made in make_panels(report_data) for figure in of_type(made, Figure)]
    assert len(figures) == 13
    for figure in figures:
        text = figure_json(figure).replace("var(--", "#123456;").replace(")", ")")
        content = json.loads(_with_real_colors(text))
        graph_objects.Figure(data=content["data"], layout=content["layout"])
        assert figure.obtained
        assert "<" not in figure_json(figure)


def _with_real_colors(text: str) -> str:
    import re

    return re.sub(r"#123456;[a-z0-9-]+\)", "#123456", text)


def test_every_table_has_a_cell_a_column_and_labels_its_numbers(report_data: ReportData) -> None:
    tables = [table for made in make_panels(report_data) for table in of_type(made, Table)]
    assert tables
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}
    fronts = of_type(panel(report_data, "fronts"), Table)[0]
    for position, column in enumerate(fronts.columns[1:], start=1):
        assert column.obtained or all(row[position].obtained for row in fronts.rows)


def test_changes_of_accuracy_are_told_beside_the_value_before_of_the_same_images(report_data: ReportData) -> None:
    [table] = of_type(panel(report_data, "changes"), Table)
    assert [column.title for column in table.columns] == [
        "Network",
        "Evaluated again",
        "Test, inherited",
        "Test, fine-tuned",
    ]
    row = table.rows[0]
    assert row[1].text.startswith("97.78")
    assert "+" not in row[2].note
    assert row[3].note.startswith("+0.84")
    assert PANELS.get("changes")(without(report_data, networks=())) is None


def test_re_trained_weights_are_told_apart_from_fine_tuned_ones(report_data: ReportData) -> None:
    def renamed(network: ChosenNetwork) -> ChosenNetwork:
        quantities = (
            each.model_copy(update={"name": each.name.replace("fine_tuned", "re_trained")})
            for each in network.quantities
        )
        return network.model_copy(update={"quantities": tuple(quantities)})

    changed = without(report_data, networks=tuple(map(renamed, report_data.networks)))
    [table] = of_type(panel(changed, "changes"), Table)
    assert [column.title for column in table.columns][1:] == ["Evaluated again", "Test, inherited", "Test, re-trained"]
    assert table.rows[0][3].note.startswith("+0.84")
    tiles = {tile.title: tile for tile in of_type(panel(changed, "overview"), Tiles)[0].tiles}
    assert "re-trained weights" in str(tiles["Test accuracy"].note)


def test_the_robust_set_stands_beside_the_chosen_networks(report_data: ReportData) -> None:
    found = RobustNetworks(
        labels=("N3", "N1"), lost={"a": 0.02, "b": 0.04}, chosen_lost={"a": 0.01, "b": 0.09}, reference="To 1.1."
    )
    made = panel(without(report_data, robust=found), "robust")
    assert "N3, N1" in made.lead
    [table] = of_type(made, Table)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a", "2.00", "1.00"],
        ["b", "4.00", "9.00"],
        ["mean", "3.00", "5.00"],
    ]
    assert PANELS.get("robust")(report_data) is None


def test_overview_states_the_key_figures(report_data: ReportData) -> None:
    tiles = {tile.title: tile for tile in of_type(panel(report_data, "overview"), Tiles)[0].tiles}
    assert tiles["Test accuracy"].value == f"98.06{THIN}%"
    assert "± " in tiles["Test accuracy"].note.replace(THIN, " ")
    assert tiles["Networks in the space"].value == "2.18 \u00d7 10¹⁹"
    assert tiles["Networks in the space"].obtained == ("analytic",)
    assert tiles["Hypervolume against random"].value == f"+7.3{THIN}%"
    assert tiles["Hypervolume against random"].obtained == ("measured", "predicted")
    assert tiles["Networks compared"].value == "100"
    assert tiles["Time"].value.replace(THIN, " ") == "3 min 30 s"
    assert all(tile.obtained for tile in tiles.values())


def test_the_front_size_counts_a_network_of_two_fronts_once(report_data: ReportData) -> None:
    tile = of_type(panel(report_data, "overview"), Tiles)[0].tiles[0]
    members = [{c.key for c in front.candidates if c.on_front} for front in report_data.fronts]
    assert tile.value == str(len(set.union(*members)))
    assert tile.note == f"{' / '.join(str(len(keys)) for keys in members)} on the 3 targets"


def test_the_test_accuracy_shown_is_chosen_by_validation_data(report_data: ReportData) -> None:
    def network(position: int, validation: float, test: float) -> Any:
        def percent(name: str, value: float) -> NamedQuantity:
            return NamedQuantity(name=name, quantity=Quantity(value=value, unit="%", obtained="measured"))

        quantities = (percent("validation_accuracy", validation), percent("test_accuracy", test))
        return report_data.networks[position].model_copy(update={"quantities": quantities})

    best = best_on_validation((network(0, 97.0, 99.0), network(1, 98.0, 96.0)), ReportMetric())
    assert best is not None
    assert best[1].quantity.value == 96.0
    assert best_on_validation((), ReportMetric()) is None


def test_a_front_of_candidates_without_members_has_no_line(report_data: ReportData) -> None:
    front = report_data.fronts[0]
    dominated = tuple(c.model_copy(update={"on_front": False, "chosen": False}) for c in front.candidates)
    data = without(report_data, fronts=(front.model_copy(update={"candidates": dominated}),))
    figures = of_type(panel(data, "fronts"), Figure)
    assert [trace["name"] for trace in figures[0].traces] == ["dominated"]
    assert not of_type(panel(data, "fronts"), Table)


def test_of_a_front_of_very_many_the_ends_the_knee_and_the_chosen_are_shown(report_data: ReportData) -> None:
    num, knee, chosen = 4000, 1001, 3333
    first = report_data.fronts[0].candidates[0]

    def candidate(place: int) -> Candidate:
        score = min(place, knee) + max(0, place - knee) / 100
        changes = {
            "key": f"{place:04d}",
            "label": f"C{place}",
            "accuracy": first.accuracy.model_copy(update={"value": score}),
            "latency_ms": first.latency_ms.model_copy(update={"value": 1.0 + place}),
            "on_front": True,
            "chosen": place == chosen,
        }
        return first.model_copy(update=changes)

    front = report_data.fronts[0].model_copy(update={"candidates": tuple(map(candidate, range(num)))})
    made = panel(without(report_data, fronts=(front,)), "fronts")
    [table] = of_type(made, Table)
    shown = [row[0].text for row in table.rows]
    assert len(shown) == MAX_MEMBERS
    assert {"C0", f"C{num - 1}", f"C{knee}", f"C{chosen}"} <= set(shown)
    assert [shown[place] for place in table.marked] == [f"C{chosen}"]
    line, members, _ = of_type(made, Figure)[0].traces
    assert len(line["x"]) == len(members["x"]) == MAX_MEMBERS
    [card] = of_type(made, Card)
    assert card.subtitle.startswith("4000 on the front of 4000 compared; 1,000 of the front are shown")
    assert card.subtitle.endswith("front.csv holds all")


def test_of_very_many_predictions_some_are_drawn_and_all_counted(report_data: ReportData) -> None:
    fit = report_data.predictors[0]
    point = fit.points[0]
    many = fit.model_copy(update={"points": tuple(point for _ in range(MAX_POINTS + 1))})
    [figure] = of_type(panel(without(report_data, predictors=(many,)), "predictors"), Figure)
    assert len(figure.traces[1]["x"]) == MAX_POINTS
    assert figure.subtitle.endswith(f"n = {MAX_POINTS + 1}, {MAX_POINTS:,} of them drawn, evenly")


def test_front_figure_separates_members_by_how_they_were_obtained(report_data: ReportData) -> None:
    figures = of_type(panel(report_data, "fronts"), Figure)
    names = [[trace["name"] for trace in figure.traces if "name" in trace] for figure in figures]
    assert names[0] == ["dominated", "front: accuracy measured, latency measured", "chosen"]
    assert names[1][1] == "front: accuracy measured, latency analytic"
    assert names[2][1] == "front: accuracy measured, latency predicted"
    assert figures[0].layout["xaxis"]["type"] == "log"
    assert figures[0].traces[2]["error_x"]["visible"] is True
    assert figures[1].traces[2]["error_x"]["visible"] is False
    assert "360 validation images" in figures[0].subtitle


def test_hypervolume_says_reference_and_normalisation_and_ends(report_data: ReportData) -> None:
    made = panel(report_data, "hypervolume")
    figure = of_type(made, Figure)[0]
    assert figure.subtitle.startswith("reference point: validation_error_% 15, latency_ms 20; each objective divided")
    assert [trace["name"] for trace in figure.traces] == ["NSGA-II (0.8412)", "random search (0.7838)"]
    assert f"NSGA-II reached 0.8412 after 1{THIN}200 evaluations" in made.lead


def test_predictors_state_tau_error_and_diagonal(report_data: ReportData) -> None:
    latency, accuracy = of_type(panel(report_data, "predictors"), Figure)
    assert latency.subtitle == "cpu fp32 b1 · Kendall τ = 0.874 · median error 4.1 % · n = 60"
    assert latency.traces[0]["x"] == latency.traces[0]["y"]
    assert latency.layout["xaxis"]["type"] == "log"
    assert "type" not in accuracy.layout["xaxis"]


def test_training_leaves_a_gap_where_the_loss_diverged(report_data: ReportData) -> None:
    loss, accuracy = of_type(panel(report_data, "training"), Figure)
    assert loss.traces[0]["y"][0] is None
    assert loss.traces[0]["y"][1] > 0
    assert [trace["name"] for trace in accuracy.traces] == ["largest", "middle", "smallest"]
    silent = tuple(
        point.model_copy(update={"accuracy_smallest": None, "accuracy_middle": None, "accuracy_largest": None})
        for point in report_data.training
    )
    assert len(of_type(panel(without(report_data, training=silent), "training"), Figure)) == 1


def test_training_shows_groups_by_cost_and_what_was_undone(report_data: ReportData) -> None:
    groups = tuple(GroupAccuracy(least_macs=10**g, most_macs=9 * 10**g, percent=50 + g) for g in range(4))
    last = report_data.training[-1].model_copy(update={"groups": groups, "rollbacks": ("step 20: lost",)})
    made = panel(without(report_data, training=(*report_data.training[:-1], last)), "training")
    by_cost = of_type(made, Figure)[-1]
    assert by_cost.title == "Accuracy by cost"
    assert [trace["y"] for trace in by_cost.traces] == [[53.0], [52.0], [51.0], [50.0]]
    assert by_cost.traces[-1]["name"].startswith("1 to 9")
    assert [points.items for points in of_type(made, Points)] == [["step 20: lost"]]


def test_networks_show_drawing_costs_quantities_and_files(report_data: ReportData) -> None:
    made = panel(report_data, "networks")
    assert [card.title for card in of_type(made, Card)] == ["balanced", "fast"]
    assert len(of_type(made, Drawing)) == 2
    quantities, stages, files = of_type(made, Table)[:3]
    assert [row[0].text for row in quantities.rows][:3] == [
        "Validation accuracy, inherited weights",
        "Test accuracy, inherited weights",
        "Test accuracy, fine-tuned",
    ]
    assert [row[1].obtained for row in quantities.rows][4:] == [("measured",), ("analytic",), ("predicted",)]
    assert [row[0].text for row in stages.rows] == ["stem", *(f"stage{n}" for n in range(1, 7)), "head"]
    assert stages.rows[2][5].text == "k3 e3 · k5 e3 · k7 e3"
    assert files.rows[0][2].text == "5f" * 32
    assert "k kernel, e expansion, h attention heads, m MLP ratio, SE squeeze-and-excitation" in made.lead


def test_scaling_shows_asked_achieved_and_law(report_data: ReportData) -> None:
    made = panel(report_data, "scaling")
    assert [card.title for card in of_type(made, Card)] == ["From balanced", "From fast"]
    row = of_type(made, Table)[0].rows[1]
    assert [cell.text for cell in row[:4]] == ["efficientnet", "\u00d72", "\u00d71.93", "257²"]
    assert (row[7].note, row[8].note) == ("\u00d71.87", "\u00d71.52")


def test_reading_states_the_counting_rule_once_and_all_notes(report_data: ReportData) -> None:
    points = of_type(panel(report_data, "reading"), Points)[0].items
    assert sum("FLOPs = 2 \u00d7 MACs" in point for point in points) == 1
    assert "rule core: conv, linear and attention products only" in points[0]
    assert tuple(points[1:]) == report_data.notes
    other = panel(without(report_data, counting="mine"), "reading")
    assert "(rule mine)" in of_type(other, Points)[0].items[0]


def test_provenance_flattens_settings_and_adds_up_time(report_data: ReportData) -> None:
    made = panel(report_data, "provenance")
    facts = {term: cell.text for element in of_type(made, Facts) for term, cell in element.items}
    assert facts["training.batch_size"] == "64"
    assert facts["search.bounds.latency_ms"] == "none, 20.0"
    assert facts["extra"] == "none"
    assert facts["num_classes"] == "10"
    assert facts["networks in the space"].replace(THIN, "") == report_data.study.space.size
    bars = of_type(made, Bars)[0]
    assert max(bar.share for bar in bars.bars) == 1.0
    assert bars.caption.replace(THIN, " ") == "3 min 30 s in all, wall clock"


def test_a_panel_of_another_package_takes_its_place(report_data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    PANELS.names()
    extra = Panel("mine", "Mine", "Mine", 35, (Points(("a remark",)),))
    monkeypatch.setitem(PANELS._entries, "mine", lambda data: extra if data.fronts else None)
    names = [made.name for made in make_panels(report_data)]
    assert names[3:6] == ["fronts", "mine", "hypervolume"]
    assert "mine" not in [made.name for made in make_panels(without(report_data, fronts=()))]


def test_the_test_accuracy_is_of_the_weights_that_validation_images_prefer(report_data: ReportData) -> None:
    network = report_data.networks[0]

    def accuracy(name: str, value: float) -> NamedQuantity:
        return NamedQuantity(name=name, quantity=Quantity(value=value, unit="%", obtained="measured"))

    worse_when_tuned = (
        accuracy("validation_accuracy", 99.0),
        accuracy("test_accuracy", 97.0),
        accuracy("validation_accuracy_fine_tuned", 98.0),
        accuracy("test_accuracy_fine_tuned", 99.5),
    )
    changed = report_data.model_copy(
        update={"networks": (network.model_copy(update={"quantities": worse_when_tuned}),)}
    )
    tiles = {tile.title: tile for tile in of_type(panel(changed, "overview"), Tiles)[0].tiles}
    assert tiles["Test accuracy"].value == f"97.00{THIN}%"
    assert "inherited weights" in str(tiles["Test accuracy"].note)


def test_precisions_of_layers_are_shown_where_they_differ(report_data: ReportData) -> None:
    network = report_data.networks[0]
    plain = network.read_blueprint()
    layer = next(name for placed in plain.placed() for name in layer_names(placed) if name.startswith("stage2.block1."))
    changed = network.model_copy(update={"blueprint": with_policy(plain, {layer: "int8"}).to_dict()})
    made = panel(report_data.model_copy(update={"networks": (changed, *report_data.networks[1:])}), "quantisation")
    [bars] = of_type(made, Bars)
    found = {bar.title: bar.share for bar in bars.bars}
    assert "stage2.block1" not in found
    assert (found["stem"], found[layer]) == (1.0, 0.25)
    assert sum(name.startswith("stage2.block1.") for name in found) > 1


def test_precisions_are_shown_block_by_block(report_data: ReportData) -> None:
    assert PANELS.get("quantisation")(report_data) is None
    network = report_data.networks[0]
    blueprint = with_policy(network.read_blueprint(), {"stem": "int8", "stage2.block1": "int4_weights"})
    changed = network.model_copy(update={"blueprint": blueprint.to_dict()})
    made = panel(report_data.model_copy(update={"networks": (changed, *report_data.networks[1:])}), "quantisation")
    [card] = made.elements
    assert isinstance(card, Card)
    assert card.title == network.label
    [bars] = of_type(made, Bars)
    found = {bar.title: (bar.share, bar.value) for bar in bars.bars}
    assert list(found) == list(policy_of(blueprint))
    assert found["stem"] == (0.25, "int8: weights 8, activations 8 bits")
    assert found["stage2.block1"] == (0.125, "int4_weights: weights 4, activations 32 bits")
    assert found["head"][0] == 1.0
