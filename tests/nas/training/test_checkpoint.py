from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nas.training.checkpoint import load_checkpoint, load_tensors, save_checkpoint, save_tensors
from search_spaces.errors import StorageError, UsageError

NUM_KILLS = 25


def tensors(value: float = 1.0) -> dict[str, torch.Tensor]:
    return {"a": torch.full((4, 5), value), "b": torch.arange(6), "c": torch.tensor(value, dtype=torch.bfloat16)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_warning(line: str) -> None:
    raise AssertionError(line)


class TestFile:
    def test_round_trip(self, tmp_path) -> None:
        metadata = {"text": "ü", "identity": {"x": [1, 2.5, None], "a": {}}}
        save_tensors(tmp_path / "deep" / "one.safetensors", tensors(), metadata)
        found, header = load_tensors(tmp_path / "deep" / "one.safetensors")
        assert header == metadata
        assert [list(header), list(header["identity"])] == [["text", "identity"], ["x", "a"]], "in the order given"
        assert {name: t.dtype for name, t in found.items()} == {name: t.dtype for name, t in tensors().items()}
        assert all(torch.equal(found[name], tensor) for name, tensor in tensors().items())
        assert names(tmp_path / "deep") == ["one.safetensors"]

    def test_views_and_parameters_are_written_as_they_look(self, tmp_path) -> None:
        whole = torch.arange(12.0).view(3, 4)
        given = {"view": whole[:2, 1:3], "transposed": whole.T, "parameter": torch.nn.Parameter(whole)}
        save_tensors(tmp_path / "one", given, {})
        found, _ = load_tensors(tmp_path / "one")
        assert all(torch.equal(found[name], tensor) for name, tensor in given.items())
        assert not found["parameter"].requires_grad

    def test_a_changed_byte_of_any_tensor_is_detected(self, tmp_path) -> None:
        path = tmp_path / "one"
        save_tensors(path, tensors(), {})
        content = bytearray(path.read_bytes())
        start = 8 + int.from_bytes(content[:8], "little")
        for place in (start, start + 81, len(content) - 1):
            damaged = bytearray(content)
            damaged[place] ^= 1
            path.write_bytes(damaged)
            with pytest.raises(UsageError, match="one is damaged: the checksum of its tensors differs"):
                load_tensors(path)

    def test_swapped_tensors_are_detected(self, tmp_path) -> None:
        save_tensors(tmp_path / "one", {"a": torch.zeros(3), "b": torch.ones(3)}, {})
        content = (tmp_path / "one").read_bytes()
        (tmp_path / "one").write_bytes(
            content.replace(b'"a":', b'"t":').replace(b'"b":', b'"a":').replace(b'"t":', b'"b":')
        )
        with pytest.raises(UsageError, match="damaged"):
            load_tensors(tmp_path / "one")

    def test_a_pickle_is_refused_and_not_run(self, tmp_path) -> None:
        class Bomb:
            def __reduce__(self):
                return (open, (str(tmp_path / "ran"), "w"))

        (tmp_path / "pickled").write_bytes(pickle.dumps(Bomb()))
        torch.save(tensors(), tmp_path / "saved")
        for name in ("pickled", "saved"):
            with pytest.raises(UsageError, match=f"{name} can't be read .*cut short or no file of this program"):
                load_tensors(tmp_path / name)
        assert not (tmp_path / "ran").exists()

    def test_safetensors_of_another_program_are_refused(self, tmp_path) -> None:
        save_file({"a": torch.zeros(2)}, tmp_path / "other")
        with pytest.raises(UsageError, match="no file of this program"):
            load_tensors(tmp_path / "other")

    def test_a_folder_that_cannot_be_written(self, tmp_path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageError, match=r"can't write .*free space or choose another folder"):
            save_tensors(tmp_path / "file" / "one", tensors(), {})

    def test_a_failed_write_leaves_the_old_file(self, tmp_path, monkeypatch) -> None:
        save_tensors(tmp_path / "one.safetensors", tensors(1), {})

        def refuse(*_args: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr("nas.training.checkpoint.save_file", refuse)
        with pytest.raises(StorageError, match="can't write"):
            save_tensors(tmp_path / "one.safetensors", tensors(2), {})
        assert torch.equal(load_tensors(tmp_path / "one.safetensors")[0]["a"], tensors(1)["a"])

    def test_a_file_that_is_not_there(self, tmp_path) -> None:
        with pytest.raises(UsageError, match=r"there is no file .*none: give the path"):
            load_tensors(tmp_path / "none")

    def test_a_file_that_the_disk_does_not_give(self, tmp_path, monkeypatch) -> None:
        def refuse(*_args, **_kwargs):
            raise PermissionError("Permission denied")

        monkeypatch.setattr("nas.training.checkpoint.safe_open", refuse)
        with pytest.raises(StorageError, match=r"can't read .*Permission denied"):
            load_tensors(tmp_path / "one")


def test_killed_while_it_writes_the_file_is_the_old_one_or_the_new(tmp_path) -> None:
    path, chance = tmp_path / "one.safetensors", random.Random(0)
    command = [sys.executable, str(Path(__file__).with_name("checkpoint_writer.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(NUM_KILLS):
            writer.stdin.write(f"{path}\n")
            writer.stdin.flush()
            for _ in range(chance.randint(1, 4)):
                pid, written = map(int, writer.stdout.readline().split())
            time.sleep(chance.uniform(0, 0.004))
            os.kill(pid, signal.SIGKILL)
            while (line := writer.stdout.readline().split()) != ["gone", "0"]:
                written = int(line[1])
            found, header = load_tensors(path)
            # What was said to be written is there, or the one after it.
            assert header["number"] in (written, written + 1)
            for tensor in found.values():
                assert torch.equal(tensor, torch.full((100_000,), float(header["number"])))


class TestCheckpoints:
    def test_what_a_killed_writer_left_is_removed(self, tmp_path) -> None:
        (tmp_path / ".step-00000005.safetensors.77.partial").touch()
        save_checkpoint(tmp_path, 10, tensors(10), {})
        assert [path.name for path in tmp_path.iterdir()] == ["step-00000010.safetensors"]

    def test_the_newest_is_found_and_two_are_kept(self, tmp_path) -> None:
        for step in (5, 10, 100, 1005):
            path = save_checkpoint(tmp_path, step, tensors(step), {"identity": "x"})
        assert path.name == "step-00001005.safetensors"
        assert names(tmp_path) == ["step-00000100.safetensors", "step-00001005.safetensors"]
        found, header = load_checkpoint(tmp_path, no_warning)
        assert header == {"identity": "x", "step": 1005}
        assert torch.equal(found["a"], tensors(1005)["a"])

    def test_none(self, tmp_path) -> None:
        assert load_checkpoint(tmp_path, no_warning) == (None, None)
        assert load_checkpoint(tmp_path / "missing", no_warning) == (None, None)
        (tmp_path / "step-5.safetensors").touch()
        (tmp_path / ".step-00000005.safetensors.77.partial").touch()
        assert load_checkpoint(tmp_path, no_warning) == (None, None)

    @pytest.mark.parametrize("kept", [0, 4, 60, -60, -1])
    def test_cut_short_the_previous_one_is_used_and_said_so(self, tmp_path, kept) -> None:
        for step in (10, 20):
            newest = save_checkpoint(tmp_path, step, tensors(step), {})
        newest.write_bytes(newest.read_bytes()[:kept])
        said: list[str] = []
        found, header = load_checkpoint(tmp_path, said.append)
        assert header == {"step": 10}
        assert torch.equal(found["a"], tensors(10)["a"])
        assert len(said) == 1
        assert said[0].startswith("checkpoint step-00000020.safetensors can't be read")
        assert said[0].endswith("step-00000010.safetensors is used")

    def test_none_that_can_be_read(self, tmp_path) -> None:
        for step in (10, 20):
            save_checkpoint(tmp_path, step, tensors(step), {}).write_bytes(b"x")
        said: list[str] = []
        assert load_checkpoint(tmp_path, said.append) == (None, None)
        assert [line.rpartition("; ")[2] for line in said] == [
            "step-00000010.safetensors is used",
            "training begins anew",
        ]

    def test_damaged_later_ones_do_not_push_out_a_new_one(self, tmp_path) -> None:
        for step in (20, 30):
            save_checkpoint(tmp_path, step, tensors(step), {}).write_bytes(b"x")
        save_checkpoint(tmp_path, 10, tensors(10), {})
        _, header = load_checkpoint(tmp_path, lambda _: None)
        assert header == {"step": 10}
        for step in (20, 30):
            save_checkpoint(tmp_path, step, tensors(step), {})
        assert names(tmp_path) == ["step-00000020.safetensors", "step-00000030.safetensors"]
