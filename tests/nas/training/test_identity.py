from __future__ import annotations

from pathlib import Path

import pytest

from nas.training.identity import check_identity
from search_spaces.errors import ConflictError

HEADER = {"identity": {"space": "a", "training": {"epochs": 3, "loss": None}, "seed": 0}}


def test_the_same_identity_passes() -> None:
    check_identity(HEADER, {"seed": 0, "space": "a", "training": {"loss": None, "epochs": 3}}, Path("folder"))


def test_every_difference_is_named() -> None:
    other = {"space": "a", "training": {"epochs": 4}, "seed": 1}
    with pytest.raises(ConflictError, match=r"folder was made with other seed, training.epochs, training.loss: choose"):
        check_identity(HEADER, other, Path("folder"))
