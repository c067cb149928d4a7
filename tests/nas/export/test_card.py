from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from toy_export import Exported, random_images, random_network

from nas.export.card import CardInfo, DataInfo, Score, card, write_card
from nas.export.onnx import ONNX_FILE, OnnxReport, check_onnx
from nas.export.safetensors import ModelInfo
from predictors.measurement import Measurement
from search_spaces.block import cost
from search_spaces.errors import StorageError


def card_info(model: ModelInfo, **changes: Any) -> CardInfo:
    data = DataInfo(
        source="digits",
        num_training=1001,
        num_calibration=256,
        num_validation=270,
        num_test=270,
        class_names=model.class_names,
        mean=model.mean,
        std=model.std,
    )
    given = {
        "name": "digits_fast",
        "origin": "On the front of study <trial>.",
        "blueprint": model.blueprint,
        "architecture_key": model.architecture.key if model.architecture else None,
        "cost": cost(model.blueprint),
        "training": "sorted sampling, 30 epochs.",
        "scores": (
            Score(weights="inherited", split="validation", value=97.0, num_images=270, obtained="measured"),
            Score(weights="fine-tuned", split="test", value=98.1234, num_images=271, obtained="measured, float32"),
        ),
        "data": data,
    }
    return CardInfo(**{**given, **changes})


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_a_card_states_the_costs_with_their_rule() -> None:
    _, model = random_network("ofa_mobilenet")
    found = section(card(card_info(model)), "Cost of one image")
    counted = cost(model.blueprint)
    assert f"| parameters | {counted.params:,} |" in found
    assert f"| MACs | {counted.macs:,} |" in found
    assert f"| activations | {counted.activations:,} |" in found
    assert "Counting rule `core`, in closed form: convolutions" in found


def test_a_card_lists_every_stage() -> None:
    _, model = random_network("ofa_mobilenet")
    rows = section(card(card_info(model)), "Architecture").strip().splitlines()[2:]
    stages = model.blueprint.all_stages()
    assert len(rows) == len(stages)
    for row, stage in zip(rows, stages, strict=True):
        name, depth, size, width, what = (cell.strip() for cell in row.strip("|").split("|"))
        assert (name, int(depth), int(width)) == (stage.name, stage.depth, stage.width)
        assert re.fullmatch(r"\d+ x \d+ x \d+", size)
        assert stage.blocks[0].kind in what.replace("\\", "")
    assert "2 x 16 x 16" in rows[0]


def test_settings_that_differ_are_listed_block_by_block() -> None:
    _, model = random_network("autoformer")
    heads = [str(block.get("heads", 0)) for block in model.blueprint.stages[0].blocks]
    assert len(set(heads)) > 1
    found = section(card(card_info(model)), "Architecture")
    assert f"heads {', '.join(heads)};" in found.replace("\\", "")
    assert "head_dim 16;" in found.replace("\\", "")


def test_accuracies_and_latencies_say_how_they_were_obtained() -> None:
    _, model = random_network("ofa_mobilenet")
    latencies = (
        Measurement("latency_ms", 1.23456, "ms", "measured", 0.0456, "cpu:fp32:b1", {"torch": "2.13.0"}),
        Measurement("latency_ms", 0.5, "ms", "analytic", None, "h100:bf16:b32"),
    )
    text = card(card_info(model, latencies=latencies, finetuning="5 epochs.", versions={"torch": "2.13.0"}))
    assert "| inherited | validation | 97.00 % | 270 | measured |" in text
    assert "| fine-tuned | test | 98.12 % | 271 | measured, float32 |" in text
    assert "| cpu:fp32:b1 | 1.235 ± 0.0456 ms | measured | torch 2.13.0 |" in text
    assert "| h100:bf16:b32 | 0.5 ms | analytic |  |" in text
    assert "Fine-tuning: 5 epochs." in text
    assert "Made with torch 2.13.0." in text


def test_re_training_is_no_fine_tuning() -> None:
    _, model = random_network("ofa_mobilenet")
    score = Score(weights="re-trained", split="test", value=98.5, num_images=271, obtained="measured, float32")
    text = card(card_info(model, retraining="90 epochs alone from random weights.", scores=(score,)))
    assert "Inherited weights: sorted sampling, 30 epochs." in text
    assert "Re-training: 90 epochs alone from random weights." in text
    assert "| re-trained | test | 98.50 % | 271 | measured, float32 |" in text
    assert "Fine-tuning" not in text


def test_what_there_is_not_is_said_or_left_out() -> None:
    _, model = random_network("ofa_mobilenet")
    text = card(card_info(model, architecture_key=None))
    assert "It stands outside its search space." in text
    assert "Fine-tuning: none; the weights are those of the supernetwork." in text
    assert "## Latency" not in text
    assert "ONNX" not in text
    assert "onnxruntime" not in text
    assert "left out" not in text


def test_names_cannot_break_the_markdown() -> None:
    _, model = random_network("ofa_mobilenet")
    text = card(card_info(model, name="a\n# b`c"))
    assert text.startswith("# a \\# b\\`c\n")
    assert "b\\|c" in section(text, "Data")
    assert "study \\<trial\\>" in text


def test_the_difference_of_the_onnx_file_is_stated() -> None:
    _, model = random_network("ofa_mobilenet")
    report = OnnxReport(2.5e-6, 97.5, 97.25, 99.75, 400, 20, "1.32.0")
    found = section(card(card_info(model, onnx=report)), "ONNX")
    for said in ("opset 20", "onnxruntime 1.32.0", "400 held-out", "97.50 %", "97.25 %", "99.75 %", "2.5e-06"):
        assert said in found


def test_the_code_on_the_card_runs_and_both_ways_agree(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = torch.zeros(5, dtype=torch.long)
    report = check_onnx(exported.folder / ONNX_FILE, exported.module, [exported.info.prepare(random_images(5))], labels)
    path = exported.folder / "README.md"
    write_card(path, card_info(exported.info, onnx=report))
    monkeypatch.chdir(exported.folder)
    logits = []
    for code in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        names: dict[str, Any] = {}
        exec(code, names)
        logits.append(torch.as_tensor(names["logits"]))
    assert len(logits) == 2
    assert logits[0].shape == (1, 3)
    assert (logits[0] - logits[1]).abs().max() < 1e-4
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == printed[1] == str([exported.info.class_names[int(logits[0].argmax())]])


def test_an_unknown_field_is_refused() -> None:
    _, model = random_network("ofa_mobilenet")
    with pytest.raises(ValidationError, match="licence"):
        card_info(model, licence="none")


def test_a_folder_that_cannot_be_written_is_named_by_the_card(tmp_path: Path) -> None:
    _, model = random_network("ofa_mobilenet")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't write"):
        write_card(tmp_path / "file" / "README.md", card_info(model))
