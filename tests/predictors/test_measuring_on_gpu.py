"""Timing, energy, memory and facts of a GPU that is here, against what its data sheet and plain arithmetic allow."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import nn

from predictors.calibration import gpu_device
from predictors.clocks import clock_versions
from predictors.device import DEVICES, Device, torch_device
from predictors.energy import energy_counter
from predictors.kernel_timing import time_kernels
from predictors.memory import peak_memory
from predictors.network_timing import time_module, time_part
from predictors.stopwatch import cuda_graph, cuda_stopwatch
from predictors.timing import time_callable

pytestmark = pytest.mark.gpu


def present() -> Device | None:
    """Return the facts that the package has of the GPU that is here."""
    gpus = [entry.load() for name in DEVICES.names() if (entry := DEVICES.get(name)).kind == "gpu"]
    return next((device for device in gpus if torch_device(device)), None)


def product(side: int, dtype: torch.dtype = torch.float32):
    matrix = torch.randn(side, side, device="cuda", dtype=dtype)
    return lambda: matrix @ matrix


def test_a_product_takes_the_time_of_its_arithmetic() -> None:
    timing = time_callable(product(4096), "gpu")
    tflops = 2 * 4096**3 / timing.median_ms / 1e9
    known = present()
    assert 1 < tflops < (1.05 * known.peak_tflops_fp32 if known else 1e4)
    assert timing.stable, timing.notes


def test_a_graph_leaves_the_launches_out_and_computes_the_same() -> None:
    x = torch.randn(64, 64, device="cuda")
    layers = [nn.Linear(64, 64, device="cuda") for _ in range(20)]
    network = nn.Sequential(*layers).eval()
    out = torch.empty_like(x)

    def run() -> torch.Tensor:
        return out.copy_(network(x))

    with torch.inference_mode():
        expected = network(x)
        replay = cuda_graph(run)
        out.zero_()
        replay()
        torch.cuda.synchronize()
        assert torch.allclose(out, expected, rtol=1e-4, atol=1e-5)
        measure = cuda_stopwatch()
        assert min(measure(replay) for _ in range(10)) < min(measure(run) for _ in range(10))


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16", "bf16"])
def test_networks_are_timed_at_every_precision(precision: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU())
    timing = time_module(network, torch.randn(8, 3, 64, 64, device="cuda"), precision)
    assert timing.median_ms > 0
    assert timing.versions["gpu"] == torch.cuda.get_device_name()
    assert timing.versions["precision"] == precision


def test_a_compiled_network_is_timed() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    timing = time_module(network, torch.randn(2, 3, 32, 32, device="cuda"), runtime="compiled")
    assert timing.median_ms > 0


def test_a_part_is_timed_as_one_graph() -> None:
    images = torch.randn(1, 8, 8, 8, device="cuda")
    layer = nn.Conv2d(8, 8, 3)
    graph, eager = (time_part(layer, images, graph=graph) for graph in (True, False))
    assert graph.versions["launches"] == "one CUDA graph"
    assert graph.median_ms < eager.median_ms


def test_the_driver_tells_clock_and_energy() -> None:
    counter = energy_counter("gpu")
    assert counter is not None
    before = counter()
    run = product(4096)
    for _ in range(200):
        run()
    torch.cuda.synchronize()
    assert counter() > before
    assert int(clock_versions("gpu")["gpu_mhz"]) > 100


def test_peak_memory_is_that_of_the_tensors() -> None:
    network = nn.Sequential(*(nn.ReLU() for _ in range(5)))
    found = peak_memory(network, torch.randn(4, 3, 256, 256, device="cuda"))
    size = 4 * 4 * 3 * 256 * 256
    assert 2 * size <= found.working_bytes <= 2 * size + 4 * 2**20


def test_measured_facts_stay_below_the_data_sheet() -> None:
    found, known = gpu_device(0, "here"), present()
    assert found.num_sms == torch.cuda.get_device_properties(0).multi_processor_count
    if known:
        assert found.num_sms == known.num_sms
        for precision in found.precisions:
            share = found.peak_tflops(precision) / known.peak_tflops(precision)
            assert 0.4 < share < 1.05, precision
        assert 0.5 < found.memory_bandwidth_gb_s / known.memory_bandwidth_gb_s < 1.05
    assert 1 < found.launch_overhead_us < 200


def test_kernels_of_every_group_are_timed() -> None:
    rows = [
        {"op": "bmm", "B": 8, "M": 256, "N": 256, "K": 256},
        {"op": "linear", "B": 1, "M": 512, "N": 1024, "K": 1024},
        {"op": "conv", "B": 4, "c_in": 16, "c_out": 32, "kernel": 3, "hw_in": 32, "stride": 1, "pad": 1},
        *({"op": op, "B": 512, "H": 512} for op in ("add", "powu", "gelu", "softmax", "ln")),
    ]
    timed = time_kernels(pd.DataFrame(rows), torch.device("cuda"))
    assert (timed["latency_ms"] > 0).all()
    assert timed["latency_ms"].max() < 10
