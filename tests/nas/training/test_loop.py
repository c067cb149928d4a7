from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_training
from toy_training import IDENTITY, images, same_state, trainer, transformers

from nas.training.checkpoint import load_tensors
from nas.training.curves import landmarks
from nas.training.loop import Watch, train
from nas.training.samplers import samplers
from nas.training.step import Trainer
from search_spaces.errors import ConflictError, NasError, StorageError


class Killed(BaseException):
    """What ends a run; no handler of ordinary errors sees it."""


class Notes:
    """Notes what the loop tells."""

    def __init__(self, deadly: int | None = None) -> None:
        self.begun: list[int] = []
        self.finished: list[tuple[int, dict]] = []
        self.progress: list[int] = []
        self.warnings: list[str] = []
        self._deadly = deadly

    def watch(self) -> Watch:
        return Watch(self.begun.append, lambda *done: self.finished.append(done), self._done, self.warnings.append)

    def _done(self, step: int) -> None:
        self.progress.append(step)
        if self._deadly is not None and step >= self._deadly:
            raise Killed


class Dying(Trainer):
    """Dies at the start of step ``deadly``, or at any moment that the test sets."""

    deadly = -1

    def step(self, step: int) -> torch.Tensor:
        if step == self.deadly:
            raise Killed
        return super().step(step)


def run(folder: Path, made: Trainer, identity=IDENTITY, deadly: int | None = None) -> Notes:
    notes = Notes(deadly)
    train(made, folder, identity, notes.watch())
    return notes


@pytest.mark.parametrize("sampler", samplers.names())
def test_killed_at_random_steps_and_started_again_it_ends_in_the_same_bits(tmp_path, sampler) -> None:
    make = partial(trainer, transformers(), sampler=sampler)
    whole = make()
    reference = run(tmp_path / "whole", whole)
    kills = sorted(np.random.default_rng(0).choice(whole.num_steps, 4, replace=False).tolist())
    begun: list[int] = []
    for deadly in kills:
        dying = make(kind=Dying)
        dying.deadly, notes = deadly, Notes()
        with pytest.raises(Killed):
            train(dying, tmp_path / "killed", IDENTITY, notes.watch())
        begun += notes.begun
    last = make()
    notes = run(tmp_path / "killed", last)
    begun += notes.begun
    assert same_state(whole, last)
    assert notes.finished == reference.finished
    assert set(begun) == set(reference.begun)
    assert len(begun) <= len(reference.begun) + len(kills), "one interval is done twice for a kill, at most"
    assert notes.warnings == []


@pytest.mark.parametrize("deadly", [5, 15])
def test_killed_after_a_checkpoint_nothing_is_done_twice(tmp_path, deadly) -> None:
    make = partial(trainer, transformers(), sampler="uniform")
    whole = make()
    run(tmp_path / "whole", whole)
    with pytest.raises(Killed):
        run(tmp_path / "killed", make(), deadly=deadly)
    last = make()
    notes = run(tmp_path / "killed", last)
    assert notes.begun == [end for end in (5, 10, 15, 20, 24) if end > deadly]
    assert same_state(whole, last)


QUICK = "sorted"
"""The sampler that is killed for real in every run of the tests; the others take minutes together."""


@pytest.mark.parametrize(
    "sampler", [QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in samplers.names() if n != QUICK)]
)
def test_killed_for_real(tmp_path, sampler) -> None:
    make = partial(trainer, transformers(), epochs=40, sampler=sampler)
    whole = make()
    run(tmp_path / "whole", whole)
    command = [sys.executable, toy_training.__file__, str(tmp_path / "killed"), sampler]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ends = [int(process.stdout.readline()) for _ in range(7)]
        process.kill()
    assert process.returncode == -signal.SIGKILL
    last = make()
    notes = run(tmp_path / "killed", last)
    assert ends == list(range(5, 40, 5))
    assert notes.begun[0] > ends[-2], "the interval before the one that was killed is kept"
    assert same_state(whole, last)


class TestBookkeeping:
    def test_every_interval_begins_and_finishes_with_its_point(self, tmp_path) -> None:
        made = trainer(transformers(), sampler="uniform", checkpoint_every=10)
        notes = run(tmp_path, made)
        assert made.num_steps == 24
        assert notes.begun == [10, 20, 24]
        assert [step for step, _ in notes.finished] == [10, 20, 24]
        assert notes.progress == [10, 10, 20, 20, 24]
        for step, point in notes.finished:
            assert point["step"] == step
            assert point["network_images"] == step * 8 * 2
            assert 0 < point["loss"] < 5
            assert point["validation_accuracy"].keys() == {"smallest", "middle", "largest"}
            assert all(0 <= value <= 100 for value in point["validation_accuracy"].values())
        assert notes.finished[-1][1]["loss"] < notes.finished[0][1]["loss"]

    def test_finished_training_is_told_again_and_not_done_again(self, tmp_path) -> None:
        make = partial(trainer, transformers(), sampler="uniform")
        first = run(tmp_path, make())
        again = run(tmp_path, make())
        assert again.begun == []
        assert again.finished == first.finished

    def test_an_interval_finishes_once_its_checkpoint_is_on_disk(self, tmp_path) -> None:
        def finish(step, _point):
            assert (tmp_path / f"step-{step:08d}.safetensors").exists()
            finished.append(step)

        finished: list[int] = []
        train(trainer(transformers()), tmp_path, IDENTITY, Watch(finish=finish))
        assert finished == [5, 10, 12]

    def test_landmarks_are_the_ends_and_the_middle(self) -> None:
        made = transformers()
        found = landmarks(made)
        assert (found["smallest"], found["largest"]) == (made.smallest(), made.largest())
        assert found["middle"] not in (made.largest(),)


class TestResume:
    def test_a_checkpoint_cut_short_gives_the_one_before_it(self, tmp_path) -> None:
        make = partial(trainer, transformers())
        whole = make()
        run(tmp_path, whole)
        newest = tmp_path / "step-00000012.safetensors"
        newest.write_bytes(newest.read_bytes()[:-7])
        last = make()
        notes = run(tmp_path, last)
        assert [step for step, _ in notes.finished] == [5, 10, 12]
        assert len(notes.warnings) == 1
        assert "step-00000012.safetensors can't be read" in notes.warnings[0]
        assert "step-00000010.safetensors is used" in notes.warnings[0]
        assert same_state(whole, last)

    def test_another_identity_is_a_conflict_that_names_what_differs(self, tmp_path) -> None:
        run(tmp_path, trainer(transformers()))
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        other = {**IDENTITY, "seed": 3, "training": {"epochs": 5, "sampler": "any"}, "new": 1}
        with pytest.raises(ConflictError, match=r"made with other new, seed, training\.epochs: choose another study"):
            run(tmp_path, trainer(transformers()), other)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_another_environment_is_said(self, tmp_path, monkeypatch) -> None:
        run(tmp_path, trainer(transformers()))
        monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
        notes = run(tmp_path, trainer(transformers()))
        assert len(notes.warnings) == 1
        assert "'threads': '77'" in notes.warnings[0]
        assert "may differ in their last bits" in notes.warnings[0]

    def test_a_folder_that_cannot_be_written(self, tmp_path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageError, match="can't write"):
            run(tmp_path / "file", trainer(transformers()))


class TestDivergence:
    def test_a_loss_that_is_not_finite_says_what_to_do_and_leaves_the_checkpoint(self, tmp_path) -> None:
        class Diverging(Trainer):
            def accumulate(self, step: int) -> torch.Tensor:
                return super().accumulate(step) * (float("nan") if step == 7 else 1)

        with pytest.raises(
            NasError, match=r"is nan at step 10, after 3 rollbacks: lower training.learning_rate \(0.003\)"
        ):
            run(tmp_path, trainer(transformers(), kind=Diverging))
        self.assert_clean(tmp_path)

    def test_a_weight_that_is_not_finite_is_found_before_it_is_stored(self, tmp_path) -> None:
        class Poisoned(Trainer):
            def step(self, step: int) -> torch.Tensor:
                loss = super().step(step)
                if step == 9:
                    next(iter(self.shared.tensors.values())).data.fill_(float("inf"))
                return loss

        with pytest.raises(NasError, match=r"is not finite at step 10, after 3 rollbacks: lower training"):
            run(tmp_path, trainer(transformers(), kind=Poisoned))
        self.assert_clean(tmp_path)

    def assert_clean(self, folder: Path) -> None:
        [left] = folder.iterdir()
        tensors, header = load_tensors(left)
        assert header["step"] == 5
        assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())


class Unstable(Trainer):
    """Its loss is not a number in one step, unless the learning rate was halved often enough."""

    deadly, highest_factor = 7, 0.5

    def accumulate(self, step: int) -> torch.Tensor:
        loss = super().accumulate(step)
        if step != self.deadly or self.rate_factor <= self.highest_factor:
            return loss
        return loss * float("nan")


class TestRollback:
    def test_the_state_returns_and_the_learning_rate_is_halved_from_there_on(self, tmp_path) -> None:
        notes = run(tmp_path, trainer(transformers(), kind=Unstable, sampler="uniform"))
        said = "step 10: the loss is nan: back to step 5, learning rate x 0.5 from there on"
        assert notes.warnings == [f"{said} (rollback 1 of 3)"]
        points = dict(notes.finished)
        assert [points[step]["rollbacks"] for step in (5, 10, 15)] == [[], [said], []]
        assert notes.begun == [5, 10, 10, 15, 20, 24]
        stable = run(tmp_path / "stable", trainer(transformers(), sampler="uniform"))
        rates = [[point["learning_rate"] for _, point in each.finished] for each in (notes, stable)]
        assert rates[0] == [rates[1][0], *(rate / 2 for rate in rates[1][1:])]

    def test_before_the_first_checkpoint_it_begins_anew(self, tmp_path) -> None:
        class Early(Unstable):
            deadly, highest_factor = 3, 0.25

        made = trainer(transformers(), kind=Early, sampler="shiftnas")
        notes = run(tmp_path, made)
        assert len(notes.warnings) == 2
        assert made.rate_factor == 0.25
        slow = trainer(transformers(), sampler="shiftnas")
        slow.rate_factor = 0.25
        run(tmp_path / "slow", slow)
        assert same_state(made, slow), "nothing of what was undone is left"

    @pytest.mark.parametrize("deadly_step", [7, 12])
    def test_killed_in_or_after_a_rollback_it_ends_in_the_same_bits(self, tmp_path, deadly_step) -> None:
        make = partial(trainer, transformers(), kind=Unstable, sampler="uniform")
        whole = make()
        reference = run(tmp_path / "whole", whole)

        class Killing(Unstable):
            def step(self, step: int) -> torch.Tensor:
                if step == deadly_step and self.rate_factor < 1:
                    raise Killed
                return super().step(step)

        with pytest.raises(Killed):
            run(tmp_path / "killed", make(kind=Killing))
        last = make()
        notes = run(tmp_path / "killed", last)
        assert same_state(whole, last)
        assert notes.finished == reference.finished

    def test_a_collapse_is_undone_too(self, tmp_path, monkeypatch) -> None:
        found = iter([None, "all is lost", None, None])
        monkeypatch.setattr("nas.training.loop.collapse", lambda *_: next(found))
        notes = run(tmp_path, trainer(transformers()))
        assert [line.partition(": back")[0] for line in notes.warnings] == ["step 10: all is lost"]
        assert [step for step, _ in notes.finished] == [5, 10, 12]


def test_training_learns(tmp_path) -> None:
    notes = run(tmp_path, trainer(transformers(), epochs=30, learning_rate=0.01, checkpoint_every=50, data=images()))
    accuracies = notes.finished[-1][1]["validation_accuracy"]
    assert min(accuracies.values()) >= 90
