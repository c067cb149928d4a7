"""The disk is full, the database can't be written, or it is gone for a while: one line, exit 4, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Server, new_database, new_server
from tabular_jobs import submit

from experiments.store.store import Store

NAS = [sys.executable, "-m", "experiments"]
# Long enough to break something in the middle.
SLOW = {"evaluation_s": 0.1, "search": {"evaluations": 40, "settings": {"num_initial": 20, "num_offspring": 10}}}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*NAS, "--quiet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def the_line(said: subprocess.CompletedProcess[str]) -> str:
    assert said.returncode == 4, said.stderr
    lines = [line for line in said.stderr.splitlines() if line.startswith("nas: ")]
    assert len(lines) == 1, said.stderr
    assert "Traceback" not in said.stderr
    return lines[0]


def check_complete(url: str, name: str = "a", num: int = 24) -> None:
    with Store.open(url) as store:
        study = store.load(name)
        assert study.state == "done"
        assert len(study.done("evaluation")) == num
        assert len(study.measurements()) == 2 * num


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB: the write-ahead log takes 4 of them."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if not mounted or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    url = str(small_disk / "nas.db")
    with Store.open(url) as store:
        submit(store, "a")
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        fill(ballast)
    assert "full" in the_line(run("runner", "--until-empty", "--storage", url, "--out", tmp_path))
    ballast.unlink()
    connection = sqlite3.connect(url)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert run("runner", "--until-empty", "--storage", url, "--out", tmp_path).returncode == 0
    check_complete(url)


def test_a_database_that_can_not_be_written(tmp_path: Path) -> None:
    url = str(tmp_path / "nas.db")
    with Store.open(url) as store:
        submit(store, "a")
    # Root writes to files without permission; SQLite refuses where the file itself says so.
    with sqlite3.connect(url) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    content = Path(url).read_bytes()
    # Bytes 18 and 19 of the header: a version of the format that this SQLite only reads.
    Path(url).write_bytes(content[:18] + b"\x03" + content[19:])
    assert "readonly database: make the file and its folder writable" in the_line(
        run("runner", "--until-empty", "--storage", url, "--out", tmp_path)
    )
    Path(url).write_bytes(content)
    assert run("runner", "--until-empty", "--storage", url, "--out", tmp_path).returncode == 0
    check_complete(url)


@pytest.mark.slow
def test_a_database_that_another_program_holds_for_ten_seconds_is_waited_for(tmp_path: Path) -> None:
    url = str(tmp_path / "nas.db")
    with Store.open(url) as store:
        submit(store, "a", **SLOW)  # type: ignore[arg-type]
        runner = subprocess.Popen(
            [*NAS, "--quiet", "runner", "--until-empty", "--storage", url, "--out", str(tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        while not store.load("a").done("evaluation"):
            time.sleep(0.05)
    other = sqlite3.connect(url, isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    time.sleep(10)
    other.execute("COMMIT")
    other.close()
    _, said = runner.communicate(timeout=300)
    assert (runner.returncode, said) == (0, "")
    check_complete(url, num=40)


@pytest.mark.slow
def test_a_server_that_is_gone_for_ten_seconds(tmp_path: Path) -> None:
    with new_server() as server:
        check_goes_on(server, new_database(server.url), tmp_path)


def check_goes_on(server: Server, url: str, tmp_path: Path) -> None:
    with Store.open(url) as store:
        submit(store, "a", **SLOW)  # type: ignore[arg-type]
        supervised = subprocess.Popen(
            [*NAS, "runner", "--processes", "2", "--until-empty", "--storage", url, "--out", str(tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        while not store.load("a").done("evaluation"):
            time.sleep(0.05)
    server.stop()
    time.sleep(10)
    assert "check that the server runs" in the_line(run("study", "list", "--storage", url))
    server.start()
    _, said = supervised.communicate(timeout=300)
    assert supervised.returncode == 0, said
    assert "Traceback" not in said
    check_complete(url, num=40)


def test_eight_readers_disturb_no_writer(url: str) -> None:
    with Store.open(url) as store:
        studies = [store.study(f"s{index}", {}, seed=0) for index in range(4)]
        errors: list[BaseException] = []
        stop = threading.Event()

        def read() -> None:
            try:
                with Store.open(url, readonly=True) as mine:
                    while not stop.is_set():
                        mine.studies()
                        mine.load("s0").evaluations()
            except BaseException as error:
                errors.append(error)

        def write(number: int) -> None:
            try:
                with studies[number].held("w") as study:
                    for index in range(5):
                        study.begin("evaluation", str(index))
                        study.finish("evaluation", str(index), {})
            except BaseException as error:
                errors.append(error)

        readers = [threading.Thread(target=read) for _ in range(8)]
        writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in (*readers, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        for thread in readers:
            thread.join()
        assert errors == []
        assert [len(study.done("evaluation")) for study in studies] == [5] * 4
