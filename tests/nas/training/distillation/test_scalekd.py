from __future__ import annotations

import pytest
import torch
from scipy.fft import dctn, idctn

from nas.training.distillation import distillations
from nas.training.distillation.kl import soft_label_loss
from nas.training.distillation.projector import as_tokens
from nas.training.distillation.scalekd import ScaleKD, mimicry, without_direct_component
from nas.training.losses import Outputs
from search_spaces.errors import UsageError


def outputs(width: int = 12, size: int = 4, teacher: tuple[int, ...] = (9, 16), seed: int = 0) -> Outputs:
    generator = torch.Generator().manual_seed(seed)
    logits, teacher_logits = torch.randn(2, 6, 3, generator=generator)
    features = torch.randn(6, width, size, size, generator=generator)
    return Outputs(logits, torch.zeros(6), features, teacher_logits, torch.randn(6, *teacher, generator=generator))


def prepared(seed: int = 0, **settings: object) -> ScaleKD:
    loss = distillations.get("scalekd")(**settings)
    loss.prepare([outputs(), outputs(width=8, size=2)], seed)
    return loss


def test_the_second_view_is_the_cosine_transform_without_frequency_zero() -> None:
    """By scipy's transform: two-dimensional, coefficient (0, 0) set to zero, transformed back."""
    maps = torch.randn(2, 5, 4, 6, dtype=torch.float64)
    coefficients = dctn(maps.numpy(), axes=(2, 3))
    coefficients[:, :, 0, 0] = 0
    expected = as_tokens(torch.from_numpy(idctn(coefficients, axes=(2, 3))))
    assert torch.allclose(without_direct_component(as_tokens(maps)), expected)


def test_mimicry_compares_directions() -> None:
    tokens = torch.randn(2, 5, 8)
    assert mimicry(3 * tokens, tokens) == pytest.approx(0, abs=1e-6)
    assert mimicry(-tokens, tokens) == pytest.approx(4)


def test_the_loss_is_the_sum_of_soft_labels_and_two_views() -> None:
    given = outputs()
    soft = soft_label_loss(given.logits, given.teacher_logits)
    alone = {
        name: prepared(**{f"{part}_weight": float(part == name) for part in ("original", "alternative", "logits")})
        for name in ("original", "alternative", "logits")
    }
    found = {name: loss(given).detach() for name, loss in alone.items()}
    assert torch.allclose(found["logits"], soft)
    teacher = given.teacher_features
    loss = alone["original"]
    assert torch.allclose(found["original"], mimicry(loss.original(given.features), teacher))
    second = mimicry(without_direct_component(loss.alternative(given.features)), without_direct_component(teacher))
    assert torch.allclose(found["alternative"], second)
    assert torch.allclose(prepared()(given), torch.stack(list(found.values())).sum())


def test_student_features_learn_to_look_like_the_teachers() -> None:
    loss, given = prepared(logits_weight=0), outputs()
    features = given.features.clone().requires_grad_()
    optimiser = torch.optim.Adam([features, *loss.parameters()], lr=0.01)
    values = []
    for _ in range(30):
        optimiser.zero_grad()
        value = loss(Outputs(given.logits, given.targets, features, given.teacher_logits, given.teacher_features))
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.5 * values[0]
    assert bool(features.grad.any())


def test_projectors_fit_every_student_and_are_a_function_of_the_seed() -> None:
    loss, same, other = prepared(1), prepared(1), prepared(2)
    assert loss.original.embed.weight.shape == (16, 12)
    assert loss.original.positions.shape == (1, 16, 4, 4)
    for width, size in ((12, 4), (8, 2), (3, 3)):
        assert bool(loss(outputs(width, size)).isfinite())
    for name, value in loss.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(loss.original.queries, other.original.queries)
    assert not torch.equal(loss.original.queries, loss.alternative.queries)


def test_teacher_maps_are_tokens_too() -> None:
    loss = distillations.get("scalekd")()
    loss.prepare([outputs(teacher=(16, 3, 3))], 0)
    assert loss.original.queries.shape == (9, 16)
    assert bool(loss(outputs(teacher=(16, 3, 3))).isfinite())


def test_another_teacher_than_the_projectors_is_an_error() -> None:
    with pytest.raises(
        UsageError, match=r"teacher of 4 tokens x 8 channels, its projectors are for 9 x 16: .*sandwich"
    ):
        prepared()(outputs(teacher=(4, 8)))


def test_bad_settings_are_named() -> None:
    with pytest.raises(UsageError, match=r"num_heads got 3 for a teacher of 16 channels"):
        prepared(num_heads=3)
    with pytest.raises(UsageError, match=r"unknown setting of distillation 'scalekd' 'heads'"):
        distillations.get("scalekd")(heads=3)
