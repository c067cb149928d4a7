from __future__ import annotations

import pytest
import torch

from nas.training.losses import Outputs, losses
from nas.training.losses.bias import variance_weights
from nas.training.losses.cross_entropy import cross_entropy_per_image

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(5, 3, generator=GENERATOR)
LABELS = torch.tensor([0, 1, 2, 0, 1])
BASE = torch.randn(1, 4, 3, 3, generator=GENERATOR)
SPREADS = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
FEATURES = BASE * SPREADS[:, None, None, None]


def test_weights_are_of_the_scaled_variances() -> None:
    scaled = (SPREADS**2 - 1) / 24
    assert torch.allclose(variance_weights(FEATURES, 0.3, 0.3), torch.exp(0.3 * scaled) - 0.3)
    tokens = FEATURES.flatten(2).transpose(1, 2)
    assert torch.allclose(variance_weights(tokens, 0.3, 0.3), variance_weights(FEATURES, 0.3, 0.3)), "tokens or a map"


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_weights_are_one_where_variances_are_equal(shift) -> None:
    equal = BASE.expand(5, -1, -1, -1) + shift * torch.arange(5)[:, None, None, None]
    assert torch.equal(variance_weights(equal, 0.3, 0.3), torch.ones(5))
    assert torch.equal(variance_weights(torch.zeros(5, 4), 0.3, 0.3), torch.ones(5))


def test_at_alpha_zero_it_is_the_cross_entropy() -> None:
    outputs = Outputs(LOGITS, LABELS, FEATURES)
    expected = losses.get("cross_entropy")(label_smoothing=0.1)(outputs)
    assert losses.get("bias")(alpha=0, beta=0, label_smoothing=0.1)(outputs) == pytest.approx(expected)


def test_images_of_little_variance_count_less_and_weights_have_no_gradient() -> None:
    features = FEATURES.clone().requires_grad_()
    logits = LOGITS.clone().requires_grad_()
    loss = losses.get("bias")()(Outputs(logits, LABELS, features))
    weights = variance_weights(FEATURES, 0.3, 0.3)
    assert weights.tolist() == sorted(weights.tolist())
    assert float(loss.detach()) == pytest.approx(float((weights * cross_entropy_per_image(LOGITS, LABELS)).mean()))
    loss.backward()
    assert features.grad is None
    assert bool(logits.grad.any())
