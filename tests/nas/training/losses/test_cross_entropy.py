from __future__ import annotations

import pytest
import torch

from nas.training.losses import Outputs, losses
from nas.training.losses.cross_entropy import cross_entropy_per_image
from search_spaces.errors import UsageError

LOGITS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def test_hard_labels_are_one_hot_targets() -> None:
    loss = losses.get("cross_entropy")(label_smoothing=0.1)
    soft = torch.nn.functional.one_hot(LABELS, 4).float()
    assert loss(Outputs(LOGITS, LABELS)) == pytest.approx(loss(Outputs(LOGITS, soft)))


def test_the_definition() -> None:
    targets = torch.softmax(torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    smooth = 0.8 * targets + 0.2 / 4
    expected = -(smooth * LOGITS.log_softmax(1)).sum(1)
    assert torch.allclose(cross_entropy_per_image(LOGITS, targets, 0.2), expected)
    assert losses.get("cross_entropy")(label_smoothing=0.2)(Outputs(LOGITS, targets)) == pytest.approx(expected.mean())


def test_bad_settings_are_named() -> None:
    with pytest.raises(UsageError, match=r"unknown setting of loss 'cross_entropy' 'label_smooting': did you mean"):
        losses.get("cross_entropy")(label_smooting=0.1)
    with pytest.raises(UsageError, match=r"loss 'cross_entropy', setting 'label_smoothing' got 1.0"):
        losses.get("cross_entropy")(label_smoothing=1.0)
