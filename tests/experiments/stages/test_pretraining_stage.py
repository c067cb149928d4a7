from __future__ import annotations

import pytest
import torch

from experiments.config import make_config
from experiments.stages.training import make_trainer
from experiments.study_space import make_study_space
from experiments.talk import Talk
from nas.data.splits import load_data
from search_spaces.errors import UsageError

STUDY = """
name = "masked"

[data]
max_images = 120
calibration_images = 20

[space]
name = "ofa_mobilenet"
form = "small_image"

[training]
epochs = 1
batch_size = 16
checkpoint_every = 4
masked_pretraining = { steps = 3, decoder_width = 8 }
"""


def config(**masked):
    given = {"steps": 3, "decoder_width": 8, **masked}
    return make_config(
        {
            "name": "masked",
            "data": {"max_images": 120, "calibration_images": 20},
            "space": {"name": "ofa_mobilenet", "form": "small_image"},
            "training": {"batch_size": 16, "masked_pretraining": given},
        },
        "the study",
    )


def test_the_shared_weights_begin_pre_trained_and_a_follower_has_the_same(tmp_path, capsys) -> None:
    made = config()
    data = load_data(made.data, made.seed)
    space = make_study_space(made, data.in_channels, data.num_classes)
    leader = make_trainer(made, space, data, tmp_path, Talk())
    assert "masked pre-training, step 3/3: reconstruction loss" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "pretraining").iterdir()] == ["step-00000003.safetensors"]
    follower = make_trainer(made, space, data, tmp_path)
    plain = made.model_copy(update={"training": made.training.model_copy(update={"masked_pretraining": None})})
    random = make_trainer(plain, space, data, tmp_path)
    for name, tensor in leader.shared.tensors.items():
        assert torch.equal(tensor, follower.shared.tensors[name])
        assert torch.equal(tensor, leader.average[name])
    assert any(not torch.equal(tensor, random.shared.tensors[name]) for name, tensor in leader.shared.tensors.items())


def test_a_study_trains_with_it(nas, tmp_path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    where = ["--storage", f"sqlite:///{tmp_path}/nas.db", "--out", tmp_path / "runs"]
    said = nas("train", tmp_path / "study.toml", *where, "--json")
    assert "masked pre-training, step 3/3: reconstruction loss" in said.err
    assert said.data


def test_a_space_of_transformers_is_refused_before_anything_runs() -> None:
    content = {
        "name": "masked",
        "space": {"name": "vit", "form": "small_image"},
        "training": {"masked_pretraining": {"steps": 3}},
    }
    message = r"training.masked_pretraining: masked pre-training got space 'vit', whose block .* choose a convolutional"
    with pytest.raises(UsageError, match=message):
        make_config(content, "the study")


def test_bad_settings_are_named() -> None:
    with pytest.raises(
        UsageError, match=r"training.masked_pretraining.mask_ratio got 1.0: Input should be less than 1"
    ):
        config(mask_ratio=1.0)
    with pytest.raises(
        UsageError, match=r"training.masked_pretraining.ratio: unknown key 'ratio': did you mean 'mask_ratio'"
    ):
        config(ratio=0.5)
