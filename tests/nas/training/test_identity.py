from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas.data.settings import DataSettings
from nas.training.identity import check_identity
from nas.training.settings import TrainingSettings
from search_spaces.errors import ConflictError

HEADER = {"identity": {"space": "a", "training": {"epochs": 3, "loss": None}, "seed": 0}}


def test_the_same_identity_passes() -> None:
    check_identity(HEADER, {"seed": 0, "space": "a", "training": {"loss": None, "epochs": 3}}, Path("folder"))


def test_a_checkpoint_from_before_a_setting_existed_has_its_default() -> None:
    now: dict[str, Any] = {
        "seed": 0,
        "training": TrainingSettings().model_dump(mode="json"),
        "data": DataSettings().model_dump(mode="json"),
    }
    old = {"seed": 0, "training": {"epochs": TrainingSettings().epochs}, "data": {}}
    check_identity({"identity": old}, now, Path("folder"))
    now["training"]["drop_path"] = 0.5
    with pytest.raises(ConflictError, match=r"made with other training.drop_path: choose"):
        check_identity({"identity": old}, now, Path("folder"))


def test_every_difference_is_named() -> None:
    other = {"space": "a", "training": {"epochs": 4}, "seed": 1}
    with pytest.raises(ConflictError, match=r"folder was made with other seed, training.epochs, training.loss: choose"):
        check_identity(HEADER, other, Path("folder"))
