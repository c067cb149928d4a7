from __future__ import annotations

import pytest
import torch

from nas.training.losses import Outputs, make_loss
from search_spaces.errors import UsageError


def test_it_is_the_mean_of_all_differences() -> None:
    outputs = Outputs(torch.tensor([[[[0.0, 1.0]]], [[[0.5, 0.5]]]]), torch.tensor([[[[0.5, 1.0]]], [[[0.5, 0.0]]]]))
    assert make_loss("absolute_error", 0.1)(outputs) == pytest.approx(0.25)


def test_it_takes_no_settings() -> None:
    with pytest.raises(UsageError, match="unknown setting of loss 'absolute_error' 'label_smoothing'"):
        make_loss("absolute_error", 0.1, {"label_smoothing": 0.1})
