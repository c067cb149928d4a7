import itertools

import pytest
import torch
from torch import nn

from predictors.machine_load import LoadSnapshot
from predictors.network_timing import time_module
from predictors.runtime import float32_products, pinned_threads
from predictors.stopwatch import cuda_stopwatch, wall_stopwatch
from predictors.timing import TimingPlan, time_callable
from search_spaces.errors import UsageError

PLAN = TimingPlan(window=3, max_warmup_runs=12, min_runs=10, max_runs=40, budget_s=0.2)


def quiet():
    return LoadSnapshot(0.0, 0.0, 0.0, {})


def timed(durations_ms, plan=PLAN, snapshot=quiet):
    """Time a function whose runs last ``durations_ms``, the last one for ever after, by a fake clock."""
    durations = itertools.chain(durations_ms, itertools.repeat(durations_ms[-1]))
    now = 0
    calls = 0

    def function():
        nonlocal now, calls
        calls += 1
        now += round(next(durations) * 1e6)

    timing = time_callable(function, plan=plan, stopwatch=wall_stopwatch(lambda: now), snapshot=snapshot)
    assert calls == timing.num_runs + timing.warmup_runs
    return timing


def test_a_steady_function():
    timing = timed([10.0])
    assert (timing.median_ms, timing.spread_ms, timing.p95_ms) == (10.0, 0.0, 10.0)
    assert (timing.warmup_runs, timing.num_runs) == (6, 20)
    assert timing.stable
    assert timing.notes == ()


def test_slow_first_runs_are_warm_up_alone():
    timing = timed([500.0, 90.0, 60.0, 40.0, 20.0, 10.0])
    assert timing.median_ms == timing.p95_ms == 10.0
    assert timing.warmup_runs > 6
    assert timing.stable


def test_a_function_that_never_settles_is_told():
    timing = timed([2.0**i for i in range(12)] + [1.0])
    assert timing.warmup_runs == 12
    assert not timing.stable
    assert "warm-up of 12 runs did not settle within 5%" in timing.notes[0]


def test_warm_up_ends_after_its_seconds():
    plan = TimingPlan(window=3, max_warmup_runs=12, max_warmup_s=2.0, min_runs=2, max_runs=2)
    timing = timed([1000.0], plan)
    assert timing.warmup_runs == 2
    assert not timing.stable


def test_median_spread_and_tail():
    timing = timed([1.0] * 6 + [1.0, 2.0, 3.0, 4.0, 5.0] * 8, TimingPlan(window=3, min_runs=40, max_runs=40))
    assert timing.median_ms == 3.0
    assert timing.spread_ms == 1.0
    assert timing.p95_ms == 5.0


def test_throttling_is_told():
    timing = timed([10.0] * 16 + [13.0])
    assert not timing.stable
    assert timing.notes == ("the second half was 30% slower: throttling or other work",)


@pytest.mark.parametrize(("duration_ms", "num_runs"), [(0.001, 40), (10.0, 20), (1000.0, 10)])
def test_runs_fill_the_budget_within_their_limits(duration_ms, num_runs):
    assert timed([duration_ms]).num_runs == num_runs


def test_other_work_is_told():
    seconds = itertools.count()
    timing = timed([10.0], snapshot=lambda: LoadSnapshot(t := next(seconds), 2.0 * t, 1.0 * t, {}))
    assert timing.notes == ("other work used 1.0 cores",)


def test_a_clock_too_coarse_to_see_a_run():
    timing = timed([0.0])
    assert timing.median_ms == 0.0
    assert timing.num_runs == PLAN.max_runs


def test_the_measurement_keeps_spread_target_and_doubts():
    found = timed([10.0] * 16 + [13.0]).measurement("cpu:fp32:b8")
    assert (found.quantity, found.unit, found.obtained, found.target) == ("latency_ms", "ms", "measured", "cpu:fp32:b8")
    assert found.spread == 1.5
    assert found.versions["torch"] == torch.__version__
    assert "slower" in found.versions["notes"]


def test_a_gpu_is_timed_between_two_events_and_waited_for(monkeypatch):
    calls = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            calls.append("record")

        def elapsed_time(self, end):
            assert end is not self
            return 2.5

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: calls.append("synchronize"))
    assert cuda_stopwatch()(lambda: calls.append("run")) == 2.5
    assert calls == ["synchronize", "record", "run", "record", "synchronize"]


def test_threads_are_pinned_recorded_and_restored():
    before = torch.get_num_threads()
    seen = []
    timing = time_callable(lambda: seen.append(torch.get_num_threads()), plan=PLAN, num_threads=1, snapshot=quiet)
    assert set(seen) == {1}
    assert timing.versions["num_threads"] == "1"
    assert torch.get_num_threads() == before
    with pytest.raises(UsageError, match="num_threads is 0: give at least 1"), pinned_threads(0):
        pass


def test_threads_are_restored_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        time_callable(lambda: 1 / 0, num_threads=1, snapshot=quiet)
    assert torch.get_num_threads() == before


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen = []

    def __deepcopy__(self, memo):
        copy = Probe()
        copy.load_state_dict(self.state_dict())
        copy.seen = self.seen
        return copy

    def forward(self, images):
        self.seen.append((self.training, torch.is_inference_mode_enabled(), images.dtype, self.conv.weight.dtype))
        assert images.is_contiguous(memory_format=torch.channels_last)
        return self.conv(images)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_module_is_timed_as_it_is_served_and_left_alone(precision, dtype):
    module = Probe().train()
    timing = time_module(module, torch.rand(2, 3, 8, 8), precision, plan=PLAN)
    assert set(module.seen) == {(False, True, dtype, dtype)}
    assert module.training
    assert module.conv.weight.dtype == torch.float32
    assert timing.versions["precision"] == precision
    assert timing.versions["memory_format"] == "channels_last"
    assert timing.median_ms > 0


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (3, 8, 8)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(UsageError, match=r"give \(batch, channels, height, width\)"):
        time_module(Probe(), torch.zeros(shape))


def test_tensor_cores_for_float32_are_switched_back():
    before = torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision
    with float32_products("ieee"):
        assert torch.backends.cudnn.conv.fp32_precision == torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert (torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision) == before
