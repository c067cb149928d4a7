import pytest
import torch

from experiments.measuring import memory_of, memory_row, require_present, row_of, subject_run, time_subject
from experiments.subjects import block_subjects, kernel_subjects, network_subject
from predictors.target import target
from predictors.timing import TimingPlan
from search_spaces.errors import UsageError
from search_spaces.networks import network
from search_spaces.precision import with_policy

PLAN = TimingPlan(window=2, max_warmup_runs=5, min_runs=3, max_runs=5, budget_s=0.01)
NAME = "nb201_all_nor_conv_1x1"


@pytest.fixture(scope="module")
def subject():
    return network_subject(NAME, network(NAME))


@pytest.mark.parametrize("name", ["cpu:b2", "cpu:bf16:b1:contiguous", "cpu:b2:onnxruntime"])
def test_a_network_is_timed_on_every_runtime_that_is_here(subject, name):
    where = target(name)
    row = row_of(subject, where, time_subject(subject, where, PLAN, num_threads=1))
    assert (row["name"], row["target"], row["obtained"], row["count"]) == (NAME, where.name, "measured", 1)
    assert row["latency_ms"] > 0
    assert row["roofline_ms"] > 0
    assert row["versions"]["runtime"] == where.runtime
    assert row["versions"]["memory_format"] == where.layout
    assert row["versions"]["num_threads"] == "1"


@pytest.mark.parametrize("name", ["cpu:b2", "cpu:b2:onnxruntime"])
def test_a_subject_can_be_run_by_a_stopwatch_of_ones_own(subject, name):
    with subject_run(subject, target(name), num_threads=1) as run:
        run()
        assert run() is None or name == "cpu:b2"


def test_blocks_are_no_files():
    block = block_subjects(NAME, network(NAME))[1]
    assert time_subject(block, target("cpu"), PLAN).median_ms > 0
    with pytest.raises(UsageError, match="is a block: onnxruntime and tensorrt are given whole networks"):
        time_subject(block, target("cpu:onnxruntime"), PLAN)


def test_a_device_elsewhere_is_named_with_the_way_out():
    with pytest.raises(UsageError, match=r"'jetson-nano:fp32:b1': that device is not here: .*--bundle"):
        require_present(target("jetson-nano"))


def test_memory_stands_beside_its_estimate(subject):
    where = target("cpu:b4")
    found = memory_of(subject, where)
    row = memory_row(subject, where, found)
    assert row["peak_memory_bytes"] == found.peak_bytes
    buffers = sum(each.numel() * each.element_size() for each in subject.module.buffers())
    assert row["weights_bytes"] == sum(p.numel() for p in subject.module.parameters()) * 4 + buffers
    assert row["image_bytes"] == torch.zeros(4, 3, 32, 32).nbytes
    assert row["estimate_error_percent"] == pytest.approx(100 * (row["estimate_bytes"] / found.peak_bytes - 1))
    assert row["cost_bytes"] < row["estimate_bytes"] < row["peak_memory_bytes"]


def test_a_kernel_has_a_measured_memory_and_no_estimate():
    kernel = kernel_subjects(NAME, network(NAME))[0]
    row = memory_row(kernel, target("cpu"), memory_of(kernel, target("cpu")))
    assert row["peak_memory_bytes"] > 0
    assert row["estimate_bytes"] is row["cost_error_percent"] is None


def test_memory_is_that_of_eager_pytorch(subject):
    with pytest.raises(UsageError, match="give an eager target"):
        memory_of(subject, target("cpu:onnxruntime"))


def test_pytorch_runs_no_quantised_network():
    quantised = network_subject(NAME, with_policy(network(NAME), {"stem": "int8"}))
    with pytest.raises(
        UsageError, match=r"eager PyTorch has no integer kernels .* give a target of runtime onnxruntime"
    ):
        time_subject(quantised, target("cpu:b2"), PLAN)
    with pytest.raises(UsageError, match="no integer kernels"), subject_run(quantised, target("cpu:b2")):
        pass
