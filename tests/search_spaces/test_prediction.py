from __future__ import annotations

import torch

from search_spaces.building import initialise
from search_spaces.layout import Product, layout_of
from search_spaces.prediction import Prediction


def started(**settings: int | float) -> Prediction:
    module = Prediction(6, 8, 3, **settings)  # type: ignore[arg-type]
    for name, parameter in module.named_parameters():
        initialise(module, name, parameter, 0)
    return module


def test_begins_near_its_start() -> None:
    out = started(start=0.5)(torch.randn(2, 6, 5, 4, generator=torch.Generator().manual_seed(0)))
    assert out.shape == (2, 8, 5, 4)
    assert float((out.detach() - 0.5).abs().max()) < 1


def test_copies_begin_equal_and_stay_together_in_the_shared_tensor() -> None:
    module = started(copies=4)
    first, second = module.weight.detach().view(2, 4, 6, 3, 3)
    assert torch.equal(first, first[:1].expand_as(first))
    assert not torch.equal(first, second)
    assert isinstance(layout_of(module.weight)[0], Product)
