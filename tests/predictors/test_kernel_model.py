"""Tables of kernels and the model that is fitted to them, on made cards whose kernels keep to a known law."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictors.kernel_model import KernelModel, near_weights
from predictors.kernel_table import card_named, known_cards, launch_ms, read_kernels
from predictors.kernel_terms import GROUPS, SHAPES, roofline_ms
from search_spaces.errors import UsageError

CARDS = {"Tesla P100-PCIE-16GB": (732, 56, 64, 4, 9500), "Tesla V100-PCIE-32GB": (900, 80, 64, 6, 14000),
         "Tesla T4": (320, 40, 64, 4, 8100), "NVIDIA A100-PCIE-40GB": (1555, 108, 64, 40, 19500)}  # fmt: skip
SHARE, LAUNCH_MS = 0.8, 0.005


def made_table(seed: int = 0) -> pd.DataFrame:
    """Additions and softmax that reach 0.8 of each card's bandwidth after a launch of 5 microseconds."""
    rng = np.random.default_rng(seed)
    rows = []
    for name, (bandwidth, *_) in CARDS.items():
        for op, tensors in (("add", 3), ("softmax", 2)):
            for _ in range(120):
                batch, hidden = (int(2 ** rng.uniform(4, 12)) for _ in range(2))
                memory_ms = 1e3 * 4 * tensors * batch * hidden / (SHARE * bandwidth * 1e9)
                latency = (LAUNCH_MS + memory_ms) * np.exp(rng.normal(0, 0.02))
                rows.append({"op": op, "device": name, "latency_ms": latency, "B": batch, "H": hidden})
    return pd.DataFrame(rows).assign(
        kernel_name="", **dict.fromkeys(("M", "N", "K", "c_in", "c_out", "kernel", "hw_in", "stride", "pad"), np.nan)
    )


def write(folder: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(folder / "kernels.parquet")
    header = ["Mem_Bw", "Num_Sm", "Core_Per_SM", "L2Cache", "SingleFLOPs"]
    specs = pd.DataFrame(CARDS.values(), columns=header, index=pd.Index(CARDS, name="Device"))
    specs.to_csv(folder / "gpu_specs.csv")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("neusight"), made_table())


@pytest.fixture(scope="module")
def model(folder: Path) -> KernelModel:
    *known, _ = CARDS
    tables = read_kernels(folder, known)
    return KernelModel.fit([each for rows in tables.values() for each in rows], "made here")


def test_a_card_left_out_is_predicted(folder, model) -> None:
    *_, unseen = CARDS
    for rows in read_kernels(folder, [unseen])[unseen]:
        mean, std = model.predict(rows.group, rows.shapes, rows.card)
        error = np.abs(mean / rows.latency_ms - 1).mean()
        assert error < 0.15, f"{rows.group}: {error:.3f}"
        assert bool((std > 0).all())


def test_half_precision_is_an_extrapolation_with_a_wider_deviation(folder, model) -> None:
    rows = read_kernels(folder, ["Tesla T4"])["Tesla T4"][0]
    mean, std = model.predict(rows.group, rows.shapes, rows.card)
    half_mean, half_std = model.predict(rows.group, rows.shapes, replace(rows.card, element_bytes=2))
    assert half_mean.sum() < mean.sum()
    assert half_std[0] / half_mean[0] > std[0] / mean[0]


def test_it_is_stored_and_read_again(model, folder, tmp_path) -> None:
    model.save(tmp_path / "kernels.safetensors")
    again = KernelModel.load(tmp_path / "kernels.safetensors")
    rows = read_kernels(folder, ["Tesla T4"])["Tesla T4"][0]
    assert again.source == "made here"
    expected = model.predict(rows.group, rows.shapes, rows.card)[0]
    assert again.predict(rows.group, rows.shapes, rows.card)[0] == pytest.approx(expected, rel=1e-4)
    (tmp_path / "other").write_bytes(b"no model")
    with pytest.raises(UsageError, match=r"can't read the kernel model other .*fit it again"):
        KernelModel.load(tmp_path / "other")


def test_an_operator_that_was_not_fitted_and_one_card_alone(model, folder) -> None:
    rows = read_kernels(folder, ["Tesla T4"])["Tesla T4"]
    with pytest.raises(UsageError, match="conv2d"):
        model.predict("conv2d", rows[0].shapes, rows[0].card)
    with pytest.raises(UsageError, match="on at least two cards: none has them"):
        KernelModel.fit(rows, "one card")


def test_weights_add_up_to_one_and_the_own_generation_stands_alone() -> None:
    assert near_weights(np.array([6.0, 7.0, 8.0]), 7.0).tolist() == [0.0, 1.0, 0.0]
    weights = near_weights(np.array([6.0, 7.0, 8.0]), 9.0)
    assert weights.sum() == pytest.approx(1.0)
    assert weights.argmax() == 2


class TestTables:
    def test_cards_are_known_by_some_of_their_words(self, folder) -> None:
        names = known_cards(folder)
        assert names == sorted(CARDS)
        assert card_named("A100-40G", names) == "NVIDIA A100-PCIE-40GB"
        with pytest.raises(UsageError, match="unknown device 'H100'"):
            card_named("H100", names)
        with pytest.raises(UsageError, match="names several"):
            card_named("Tesla", names)

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("latency_ms", 0.0, r"latency_ms of elementwise is missing, zero or negative in 1 of 480 rows \(0\)"),
            ("latency_ms", np.nan, "latency_ms of elementwise is missing"),
            ("B", -4.0, "B of elementwise is missing, zero or negative"),
            ("op", "fft", "unknown operator 'fft'"),
        ],
    )
    def test_bad_rows_are_named_and_counted(self, tmp_path, column, value, message) -> None:
        table = made_table().astype({"B": float})
        table.loc[0, column] = value
        with pytest.raises(UsageError, match=message):
            read_kernels(write(tmp_path, table), CARDS)

    def test_another_unit_is_refused(self, tmp_path) -> None:
        table = made_table()
        table.loc[table["device"] == "Tesla T4", "latency_ms"] *= 1e3
        with pytest.raises(UsageError, match=r"'Tesla T4' takes .* its data sheet allows: latency_ms must be"):
            read_kernels(write(tmp_path, table), CARDS)

    def test_repeated_rows_count_once(self, tmp_path) -> None:
        table = made_table()
        (rows, _) = read_kernels(write(tmp_path, pd.concat([table, table])), ["Tesla T4"])["Tesla T4"]
        assert len(rows.latency_ms) + rows.num_repeats == 240
        assert rows.spread == pytest.approx(0.0, abs=0.05)

    def test_a_missing_column_or_file(self, tmp_path) -> None:
        with pytest.raises(UsageError, match=r"can't read kernels\.parquet"):
            read_kernels(tmp_path, CARDS)
        with pytest.raises(UsageError, match=r"kernels\.parquet lacks the columns latency_ms"):
            read_kernels(write(tmp_path, made_table().drop(columns="latency_ms")), CARDS)


def test_a_host_that_launches_slower_is_predicted_from_its_smallest_kernel(folder, model) -> None:
    *_, unseen = CARDS
    rows = read_kernels(folder, [unseen])[unseen][0]
    slower = replace(rows, latency_ms=rows.latency_ms + 5 * LAUNCH_MS)
    known = launch_ms(slower)
    assert known == pytest.approx(6 * LAUNCH_MS, rel=0.2)
    blind, _ = model.predict(rows.group, rows.shapes, rows.card)
    told, _ = model.predict(rows.group, rows.shapes, rows.card, known)
    errors = [np.abs(mean / slower.latency_ms - 1).mean() for mean in (blind, told)]
    assert errors[1] < 0.15 < errors[0]


def test_kernels_that_all_have_work_to_do_tell_of_no_launch(folder) -> None:
    *_, unseen = CARDS
    rows = read_kernels(folder, [unseen])[unseen][0]
    assert launch_ms(replace(rows, latency_ms=2 * roofline_ms(rows.group, rows.shapes, rows.card))) is None


@pytest.mark.parametrize("group", GROUPS)
def test_the_roofline_is_one_number_a_kernel(folder, group: str) -> None:
    card = read_kernels(folder, [next(iter(CARDS))])[next(iter(CARDS))][0].card
    shapes = {name: np.full(7, 4.0) for name in (*SHAPES[group], "num_tensors")}
    assert roofline_ms(group, shapes, card).shape == (7,)
