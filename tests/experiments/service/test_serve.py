"""``nas serve`` as a process: what it says, refuses and answers."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from nas_command import Nas

from experiments.service.token import TOKEN_FILE, make_token, matches, read_digest


def test_a_new_token_is_printed_once(nas: Nas, tmp_path: Path) -> None:
    said = nas("serve", "--new-token", "--out", tmp_path)
    token = said.out.strip()
    assert matches(token, read_digest(tmp_path))
    assert token not in (tmp_path / TOKEN_FILE).read_text()


def test_an_open_address_without_a_token_is_refused(nas: Nas, tmp_path: Path) -> None:
    said = nas("serve", "--host", "0.0.0.0", "--out", tmp_path, code=2)
    assert "nas serve --new-token" in said.error
    make_token(tmp_path)
    assert "--allow-host" in nas("serve", "--host", "0.0.0.0", "--out", tmp_path, code=2).error


FIRST_VISIT = """
import sys
from pathlib import Path
from experiments.benchmarks.page import make_study
from experiments.service.app import make_application
from experiments.service.serve import warm_up
from experiments.store.store import Store

make_study(Path(sys.argv[1]), 30)
with Store.open(str(Path(sys.argv[1]) / "nas.db")) as store:
    studies = make_application(store, Path(sys.argv[1])).state.catalogue
    warm_up()
    before = set(sys.modules)
    assert len(studies.shown(1).report.table.column("macs").values) == 30
print(sorted(set(sys.modules) - before))
"""


def test_the_first_visitor_waits_for_no_import(tmp_path: Path) -> None:
    said = subprocess.run([sys.executable, "-c", FIRST_VISIT, tmp_path], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_port_that_is_taken_is_named(nas: Nas, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = nas("serve", "--port", port, "--out", tmp_path, code=2)
    assert f"port {port}" in said.error
    assert "--port" in said.error


def test_without_fastapi_the_install_line_is_said(nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = nas("serve", "--port", "0", "--out", tmp_path, code=2)
    assert "pip install 'nas[serve]'" in said.error


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments", "serve", "--port", "0", "--out", str(tmp_path)]
    # Where the tests run in the background of a shell, SIGINT is ignored, and a child would inherit that.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **heard) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            [base] = re.findall(r"http://127\.0\.0\.1:\d+/", line)
            assert "reading only" in process.stderr.readline()
            with urllib.request.urlopen(f"{base}api/studies", timeout=60) as answer:
                assert json.load(answer) == {"total": 0, "studies": []}
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert "Traceback" not in process.stderr.read()
