"""A small folder of tables in the layout of the public ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

EDGES = ("op_1<-0", "op_2<-0", "op_2<-1", "op_3<-0", "op_3<-1", "op_3<-2")
COSTS = {"card": (0.1, 0.0, 0.6, 1.0, 0.4), "twin": (0.2, 0.0, 1.1, 2.1, 0.8), "chip": (0.0, 0.1, 0.3, 2.5, 0.1)}
NEUSIGHT_CARDS = {
    "Tesla P4": (192, 40, 64, 2, 5699),
    "Tesla T4": (320, 40, 64, 4, 8141),
    "NVIDIA L4": (300, 60, 128, 48, 31334),
}
"""Bandwidth in GB/s, multiprocessors, lanes of each, L2 cache in MiB and GFLOP/s of the cards of ``write_neusight``."""


def write_neusight(folder: Path, rows: list[dict[str, object]]) -> None:
    """Write timings of kernels of rows (op, device, latency_ms, B, H), all to train on, and the cards' facts."""
    others = dict.fromkeys(("M", "N", "K", "c_in", "c_out", "kernel", "hw_in", "stride", "pad"), np.nan)
    (folder / "neusight").mkdir()
    pd.DataFrame(rows).assign(split="train", **others).to_parquet(folder / "neusight" / "kernels.parquet")
    columns = ["Mem_Bw", "Num_Sm", "Core_Per_SM", "L2Cache", "SingleFLOPs"]
    specs = pd.DataFrame(NEUSIGHT_CARDS.values(), columns=columns, index=pd.Index(NEUSIGHT_CARDS, name="Device"))
    specs.to_csv(folder / "neusight" / "gpu_specs.csv")


def write_nb201(folder: Path, num: int = 120) -> pd.DataFrame:
    """Write tables of ``num`` cells on three devices, and return the rows of latencies."""
    rng = np.random.default_rng(0)
    cells = np.array(list(product(range(5), repeat=6)))
    cells = cells[rng.choice(len(cells), num, replace=False)]
    architectures = pd.DataFrame(cells.astype(np.int8), columns=list(EDGES))
    architectures.insert(0, "arch_idx", np.arange(num))
    for name in ("test_acc_cifar10", "test_acc_cifar100", "test_acc_imagenet16_120"):
        architectures[name] = 50 + (cells == 3).sum(axis=1) * 3.0 + rng.normal(0, 0.1, num)
    (folder / "nb201").mkdir(parents=True)
    architectures.to_parquet(folder / "nb201" / "architectures.parquet")
    tables = []
    for device, costs in COSTS.items():
        counts = (cells[:, :, None] == np.arange(5)).sum(axis=1)
        latency_ms = (3.0 + counts @ np.array(costs)) * rng.normal(1.0, 0.01, num)
        tables.append(pd.DataFrame({"arch_idx": np.arange(num), "device_key": device, "latency_ms": latency_ms}))
    rows = pd.concat(tables, ignore_index=True)
    write_latency(folder, rows)
    return rows


def write_latency(folder: Path, rows: pd.DataFrame) -> None:
    """Write the rows in two files, as a person who measured twice would have them."""
    cut = len(rows) // 2
    rows[:cut].to_parquet(folder / "nb201" / "latency.parquet")
    rows[cut:].to_parquet(folder / "nb201" / "latency_more.parquet")
