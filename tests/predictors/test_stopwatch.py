from contextlib import contextmanager

import torch

from predictors.stopwatch import cuda_graph, cuda_stopwatch, wall_stopwatch


def test_the_wall_clock_is_read_before_and_after():
    clock = iter([1_000_000, 4_500_000])
    ran = []
    assert wall_stopwatch(lambda: next(clock))(lambda: ran.append(1)) == 3.5
    assert ran == [1]


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


def test_a_graph_is_recorded_after_warm_up_on_a_side_stream_and_replayed(monkeypatch):
    calls = []

    class Stream:
        def __init__(self, name="side"):
            self.name = name

        def wait_stream(self, other):
            calls.append(f"{self.name} waits for {other.name}")

    class Graph:
        def replay(self):
            calls.append("replay")

    @contextmanager
    def within(name):
        calls.append(f"enter {name}")
        yield
        calls.append(f"leave {name}")

    current = Stream("current")
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: current)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: within(stream.name))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: within("graph"))
    replay = cuda_graph(lambda: calls.append("run"), num_warmup_runs=2)
    assert calls == [
        "side waits for current",
        "enter side",
        "run",
        "run",
        "leave side",
        "current waits for side",
        "enter graph",
        "run",
        "leave graph",
    ]
    calls.clear()
    replay()
    assert calls == ["replay"]
