"""Every registered space on a GPU: a network inside the shared weights is bit for bit the network alone there too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space, spaces
from search_spaces.testing import check_gradients, check_outputs, shaken

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    """Hold cuDNN to algorithms that repeat: others add in an order of their own each time."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = before


@pytest.mark.parametrize("name", spaces.names())
def test_networks_give_inside_what_they_give_alone(name: str) -> None:
    made = space(name, form="small_image", in_channels=1, num_classes=10)
    shared = shaken(SharedWeights(made, 0, "cuda"), 0)
    check_outputs(shared, num=3)
    check_gradients(shared, num=2, batch=4)
