from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nas.training.initial_weights import begin_from
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

SPACES = ["ofa_mobilenet", "autoformer", "hybrid", "hornet"]


def small(name: str) -> SearchSpace:
    settings = {"mixers": ("depthwise", "swin", "global_filter")} if name == "hybrid" else {}
    return space(name, form="small_image", in_channels=1, num_classes=5, **settings)


def trained(found: SearchSpace, seed: int = 1) -> dict[str, Tensor]:
    """The state of the largest network with numbers of its own."""
    network = build(found.blueprint(found.largest()), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return dict(network.state_dict())


def logits(network: torch.nn.Module, found: SearchSpace) -> Tensor:
    side = found.blueprint(found.largest()).resolution
    with torch.no_grad():
        out: Tensor = network.eval()(torch.randn(2, 1, *side, generator=torch.Generator().manual_seed(0)))
    return out


@pytest.mark.parametrize("name", SPACES)
def test_the_largest_network_begins_as_the_given_one(name: str, tmp_path: Path) -> None:
    """Its channels are sorted, which changes its output by rounding alone."""
    found = small(name)
    state, largest = trained(found), found.blueprint(found.largest())
    save_file(state, tmp_path / "mine.safetensors")
    shared = SharedWeights(found, seed=7)
    begun = begin_from(shared, tmp_path / "mine.safetensors")
    given = build(largest)
    given.load_state_dict(state)
    expected = logits(given, found)
    inside = shared.extract(largest, statistics={key: value for key, value in state.items() if "running" in key})
    torch.testing.assert_close(logits(inside, found), expected, rtol=1e-4, atol=1e-4)
    assert begun.num_tensors == len(list(given.parameters()))
    assert begun.all_tensors == len(shared.tensors)
    assert begun.sorting.groups


def test_the_prefixes_of_small_networks_hold_the_important_channels(tmp_path: Path) -> None:
    found = small("autoformer")
    save_file(trained(found), tmp_path / "mine.safetensors")
    shared = SharedWeights(found)
    begin_from(shared, tmp_path / "mine.safetensors")
    norms = shared.tensors["stage1.block1.relative_transformer.reduce.weight"].detach().abs().sum(0)
    assert bool((norms[:-1] >= norms[1:]).all())


def test_half_precision_is_taken_too(tmp_path: Path) -> None:
    found = small("ofa_mobilenet")
    save_file({name: tensor.half() for name, tensor in trained(found).items()}, tmp_path / "mine.safetensors")
    shared = SharedWeights(found)
    begin_from(shared, tmp_path / "mine.safetensors")
    assert {tensor.dtype for tensor in shared.tensors.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"it lacks head\.\S*classifier\.bias \[5\]: give"),
        ("renamed", r"it lacks stem\.\S+ \[.*\]; it has besides module\.stem\.\S+: give"),
        (
            "classes",
            r"in another shape head\.\S*bias \[9\] instead of \[5\], head\.\S*weight \[9, .*: give",
        ),
        ("integers", r"holds no floating numbers in head\.\S*classifier\.bias: give"),
        (
            "other",
            r"it lacks .* and \d+ more; it has besides a: give the weights of the network that 'nas spaces",
        ),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(change: str, message: str, tmp_path: Path) -> None:
    found = small("ofa_mobilenet")
    state = trained(found)
    bias = next(name for name in state if name.endswith("classifier.bias"))
    first = next(iter(state))
    if change == "missing":
        del state[bias]
    elif change == "renamed":
        state[f"module.{first}"] = state.pop(first)
    elif change == "classes":
        for name in (bias, bias.replace("bias", "weight")):
            state[name] = torch.zeros(9, *state[name].shape[1:])
    elif change == "integers":
        state[bias] = torch.zeros(5, dtype=torch.int64)
    else:
        state = {"a": torch.zeros(1)}
    save_file(state, tmp_path / "mine.safetensors")
    with pytest.raises(UsageError, match=message) as error:
        begin_from(SharedWeights(found), tmp_path / "mine.safetensors")
    assert "\n" not in str(error.value)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    shared = SharedWeights(small("ofa_mobilenet"))
    with pytest.raises(UsageError, match=r"there is no file .*mine.safetensors: give the path"):
        begin_from(shared, tmp_path / "mine.safetensors")
    (tmp_path / "torch.pt").write_bytes(b"not safetensors" * 9)
    with pytest.raises(UsageError, match=r"torch.pt can't be read .*: it is cut short or no safetensors file"):
        begin_from(shared, tmp_path / "torch.pt")
