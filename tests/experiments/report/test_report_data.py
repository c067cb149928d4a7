"""The report's data: round trip, what is refused, what a failed training leaves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from experiments.report.data import ChosenNetwork, Quantity, ReportData, SpaceInfo, TrainingPoint, read_report_data
from search_spaces.errors import UsageError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_data_round_trips_through_json(report_data: ReportData) -> None:
    text = report_data.to_json()
    assert read_report_data(text) == report_data
    assert read_report_data(text).to_json() == text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_least_data_round_trips(bare_data: ReportData) -> None:
    assert read_report_data(bare_data.to_json()) == bare_data


@given(value=FINITE, spread=st.none() | st.floats(0, 1e300), lower=st.none() | FINITE, n=st.none() | st.integers(0))
def test_quantity_round_trips(value: float, spread: float | None, lower: float | None, n: int | None) -> None:
    quantity = Quantity(value=value, unit="ms", obtained="predicted", spread=spread, lower=lower, n=n)
    assert Quantity.model_validate_json(quantity.model_dump_json()) == quantity


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_quantity_refuses_what_is_not_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Quantity(value=value, unit="%", obtained="measured")


def test_quantity_refuses_an_unknown_origin_and_a_negative_spread() -> None:
    with pytest.raises(ValidationError, match="measured"):
        Quantity.model_validate({"value": 1.0, "unit": "%", "obtained": "guessed"})
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Quantity(value=1.0, unit="%", obtained="measured", spread=-0.1)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_diverged_loss_is_absent(loss: float) -> None:
    point = TrainingPoint(step=1, epoch=0, images=8, loss=loss, learning_rate=0.1)
    assert point.loss is None
    assert TrainingPoint.model_validate_json(point.model_dump_json()) == point


@pytest.mark.parametrize("size", ["", "1e19", "-3", "12.0"])
def test_space_size_is_digits(size: str) -> None:
    with pytest.raises(ValidationError, match="size"):
        SpaceInfo(name="autoformer", size=size)


def test_a_blueprint_that_cannot_be_read_is_refused(report_data: ReportData) -> None:
    content = report_data.networks[0].model_dump()
    del content["blueprint"]["stem"]
    with pytest.raises(ValidationError, match="stem"):
        ChosenNetwork.model_validate(content)


def test_text_that_is_not_the_data_names_the_path(report_data: ReportData) -> None:
    content = json.loads(report_data.to_json())
    content["fronts"][1]["candidates"][2]["latency_ms"]["obtained"] = "guessed"
    with pytest.raises(UsageError, match=r"fronts\.1\.candidates\.2\.latency_ms\.obtained.*'measured'"):
        read_report_data(json.dumps(content))
    with pytest.raises(UsageError, match="the text: Invalid JSON"):
        read_report_data("{")
    with pytest.raises(UsageError, match="surprise: Extra inputs are not permitted"):
        read_report_data(report_data.to_json()[:-1] + ', "surprise": 1}')


def test_importing_the_data_loads_nothing_heavy() -> None:
    code = (
        "import sys, experiments.report.data, experiments.report.page, experiments.report.text;"
        "print([m for m in ('torch', 'plotly', 'jinja2', 'rich', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
