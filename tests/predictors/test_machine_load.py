from predictors.machine_load import LoadSnapshot, load_snapshot, other_load


def test_other_work_is_told_with_its_busiest_process():
    before = LoadSnapshot(10.0, 100.0, 20.0, {1: ("init", 1.0), 2: ("pytest", 50.0)})
    after = LoadSnapshot(12.0, 105.0, 22.0, {1: ("init", 1.0), 2: ("pytest", 51.8), 3: ("new", 0.1)})
    assert other_load(before, after) == "other work used 1.5 cores (busiest: pytest, 0.9)"


def test_work_that_no_process_shows_is_told_without_a_name():
    before = LoadSnapshot(0.0, 0.0, 0.0, {1: ("init", 1.0)})
    after = LoadSnapshot(1.0, 1.5, 0.5, {1: ("init", 1.0)})
    assert other_load(before, after) == "other work used 1.0 cores"


def test_an_idle_machine_is_silent():
    before = LoadSnapshot(0.0, 0.0, 0.0, {})
    assert other_load(before, LoadSnapshot(1.0, 1.1, 1.0, {})) == ""


def test_a_snapshot_grows_and_leaves_this_process_out():
    import os

    before = load_snapshot()
    sum(range(10**6))
    after = load_snapshot()
    assert after.wall_s > before.wall_s
    assert after.own_s >= before.own_s > 0
    assert after.busy_s >= before.busy_s > 0
    assert os.getpid() not in after.processes
