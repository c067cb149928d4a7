import json
import subprocess
import sys

import pytest

from experiments.bundle import read_result, write_bundle
from experiments.subjects import block_subjects, network_subject
from predictors.target import target
from search_spaces.errors import StorageError, UsageError
from search_spaces.networks import network

NAMES = ("nb201_all_nor_conv_1x1", "nb201_all_avg_pool_3x3")
TARGET = "raspi4:fp32:b2:onnxruntime"


@pytest.fixture(scope="module")
def subjects():
    return [network_subject(name, network(name)) for name in NAMES]


@pytest.fixture(scope="module")
def bundle(subjects, tmp_path_factory):
    return write_bundle(subjects, target(TARGET), tmp_path_factory.mktemp("bundle") / "b")


@pytest.fixture(scope="module")
def result(bundle):
    """The result of the bundle's own script, in a process that can't see this software."""
    done = subprocess.run(
        [sys.executable, "-I", "run.py", "0.01"], cwd=bundle, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("result.json")
    return bundle / "result.json"


def changed(result, tmp_path, change):
    content = json.loads(result.read_text())
    change(content)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content))
    return path


def test_the_folder_holds_files_script_and_manifest(bundle):
    manifest = json.loads((bundle / "bundle.json").read_text())
    assert (manifest["target"], manifest["runtime"], manifest["kind"]) == (TARGET, "onnxruntime", "cpu")
    assert [entry["name"] for entry in manifest["networks"]] == list(NAMES)
    assert [entry["shape"] for entry in manifest["networks"]] == [[2, 3, 32, 32]] * 2
    assert {path.name for path in bundle.iterdir()} >= {"bundle.json", "run.py", manifest["networks"][0]["file"]}


def test_what_ran_elsewhere_is_measured_there(result):
    rows = read_result(result)
    assert [row["name"] for row in rows] == list(NAMES)
    assert {(row["target"], row["obtained"]) for row in rows} == {(TARGET, "measured")}
    assert all(row["latency_ms"] > 0 and row["p95_ms"] >= row["latency_ms"] for row in rows)
    assert all("onnxruntime" in row["versions"] for row in rows)


def test_a_file_that_changed_on_the_way_is_refused(bundle, tmp_path):
    import shutil

    copy = shutil.copytree(bundle, tmp_path / "copy")
    next(copy.glob("000-*.onnx")).write_bytes(b"changed")
    done = subprocess.run([sys.executable, "-I", "run.py"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not the file that was written" in done.stderr


def drop_first(content):
    del content["rows"][0]


def double(content):
    content["rows"].append(content["rows"][0])


def rename(content):
    content["rows"][0]["name"] = "another"


def row_value(key, value):
    def change(content):
        content["rows"][1][key] = value

    return change


def top_value(key, value):
    def change(content):
        content[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_first, ["1 missing", NAMES[0]]),
        (double, ["1 given twice or more", NAMES[0]]),
        (rename, ["1 missing", "1 of unknown networks (another)"]),
        (row_value("latency_ms", 0.0), ["1 without positive numbers in ms", NAMES[1]]),
        (row_value("latency_ms", -1.5), ["1 without positive numbers in ms"]),
        (row_value("latency_ms", None), ["1 without positive numbers in ms"]),
        (row_value("latency_ms", float("nan")), ["1 without positive numbers in ms"]),
        (row_value("latency_ms", "3 ms"), ["1 without positive numbers in ms"]),
        (row_value("spread_ms", -0.1), ["1 without positive numbers in ms"]),
        (top_value("unit", "s"), ["unit is 's'", "'ms'"]),
        (top_value("rows", None), ["rows are missing"]),
        (top_value("target", "rapsi4"), ["unknown target 'rapsi4'", "'raspi4'"]),
        (top_value("format", "other"), ["no result of a bundle"]),
        (top_value("networks", None), ["no result of a bundle"]),
    ],
)
def test_a_bad_result_is_named_counted_and_not_read(result, tmp_path, change, words):
    with pytest.raises(UsageError) as caught:
        read_result(changed(result, tmp_path, change))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_files_that_are_no_results(tmp_path):
    with pytest.raises(UsageError, match="can't read"):
        read_result(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("no json")
    with pytest.raises(UsageError, match="is not JSON"):
        read_result(tmp_path / "text.json")


def test_bundles_that_can_not_be_written(subjects, tmp_path):
    where = target(TARGET)
    with pytest.raises(UsageError, match=r"runs by onnxruntime or tensorrt: .*raspi4:fp32:b1:onnxruntime"):
        write_bundle(subjects, target("raspi4"), tmp_path / "b")
    with pytest.raises(UsageError, match=f"twice: {NAMES[0]}"):
        write_bundle([subjects[0], subjects[0]], where, tmp_path / "b")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UsageError, match="has content: give a new folder"):
        write_bundle(subjects, where, tmp_path / "full")
    with pytest.raises(StorageError, match="can't write the bundle"):
        write_bundle(subjects, where, tmp_path / "full" / "file" / "below")
    block = block_subjects("n", network(NAMES[0]))[0]
    with pytest.raises(UsageError, match="is a block"):
        write_bundle([block], where, tmp_path / "blocks")
