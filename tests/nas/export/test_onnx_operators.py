"""Every operator is written as ONNX and gives its module's numbers there; those with transforms by DFT operators."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from nas.export.onnx import OPSET, write_onnx
from search_spaces.attention_names import ATTENTION_NAMES
from search_spaces.block import module_of
from search_spaces.blueprint import Block, Blueprint, PlacedBlock, Stage
from search_spaces.building import build
from search_spaces.feed_forwards import feed_forwards
from search_spaces.mixers import mixers
from search_spaces.norm_names import NORM_NAMES
from search_spaces.testing_blocks import fill, place
from search_spaces.testing_mixers import SIDES

HEAD = Stage("head", 3, (Block.of("layer_norm_head", pooling="mean"),))
TRANSFORMS = ("global_filter", "sgconv")


def network(blocks: Iterable[Block], stem: str = "patch", head: Stage = HEAD) -> Blueprint:
    """A network of width 16 on 8x8 cells."""
    first = Stage("stem", 16, (Block.of("stem_slot", stem=stem, stride=4),))
    return Blueprint("test", 2, (32, 32), first, (Stage("stage1", 16, tuple(blocks)),), head)


def mixer(name: str, shifted: bool = False) -> Block:
    reach = mixers.get(name).reach
    settings = {} if reach == "none" else {reach: SIDES[reach][-1]}
    return Block.of("token_mixer", mixer=name, shifted=shifted, **settings)


def operators_of(path: Path, blueprint: Blueprint) -> set[str]:
    """Write the network, compare its logits at a batch size of its own, and return the file's operators."""
    module = build(blueprint).eval()
    fill(module, torch.Generator().manual_seed(0))
    write_onnx(path, module, blueprint)
    images = torch.randn(3, 2, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = module(images).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(["logits"], {"image": images.numpy()})[0]
    assert np.ptp(expected) > 1e-3
    assert np.abs(found - expected).max() < 1e-4 * max(1.0, float(np.abs(expected).max()))
    return {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.slow
@pytest.mark.parametrize("name", mixers.names())
def test_every_mixer_alone(name: str, tmp_path: Path) -> None:
    found = operators_of(tmp_path / "model.onnx", network([mixer(name), mixer(name, shifted=True)]))
    assert ("DFT" in found) == (name in TRANSFORMS)


@pytest.mark.slow
@pytest.mark.parametrize("name", feed_forwards.names())
def test_every_feed_forward_part(name: str, tmp_path: Path) -> None:
    operators_of(tmp_path / "model.onnx", network([Block.of("channel_mixer", feed_forward=name, expansion=2.0)]))


def test_norms_channel_attentions_and_a_reduction(tmp_path: Path) -> None:
    blocks = [
        Block.of("channel_mixer", norm=norm, attention=attention, expansion=1.0)
        for norm, attention in zip(NORM_NAMES, ATTENTION_NAMES, strict=True)
    ]
    operators_of(tmp_path / "model.onnx", network([*blocks, Block.of("norm_reduction", norm="ibn", stride=2)], "conv"))


def test_those_with_transforms_experts_and_fixed_features_in_one_network(tmp_path: Path) -> None:
    parts = [Block.of("channel_mixer", feed_forward=name, expansion=1.0) for name in ("experts", "random_features")]
    blocks = [mixer("sgconv"), parts[0], mixer("global_filter"), parts[1], mixer("wavemix")]
    assert {"DFT", "TopK"} <= operators_of(tmp_path / "model.onnx", network(blocks, "cross_scale"))


def test_deformable_convolutions_and_prototypes(tmp_path: Path) -> None:
    head = Stage("head", 3, (Block.of("pem_head", pyramid=True, queries=5, decoder_width=8),))
    reduced = network([Block.of("norm_reduction", norm="bn", stride=2)], head=head)
    assert {"GridSample", "ArgMax", "GatherElements"} <= operators_of(tmp_path / "model.onnx", reduced)


class OfTwo(torch.nn.Module):
    """A block of a pair of inputs as a module of two."""

    def __init__(self, block: torch.nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return self.block((first, second))[0]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # Of torch's exporter, which is called bare here.
@pytest.mark.parametrize(
    ("placed", "second_size"),
    [
        (place("cross_gating", 8, 8, (4, 4), window=2), (2, 8, 4, 4)),
        (place("time_layer_norm", 8, 8, (3, 5)), (2, 1)),
    ],
    ids=["cross_gating", "time_layer_norm"],
)
def test_operators_of_two_inputs(placed: PlacedBlock, second_size: tuple[int, ...], tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(2, 8, *placed.in_size, generator=generator), torch.rand(second_size, generator=generator)
    module = OfTwo(module_of(placed)).eval()
    fill(module, torch.Generator().manual_seed(0))
    path = tmp_path / "model.onnx"
    torch.onnx.export(module, inputs, path, input_names=["first", "second"], opset_version=OPSET, dynamo=True)
    with torch.inference_mode():
        expected = module(*inputs).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in zip(("first", "second"), inputs, strict=True)})[0]
    assert np.ptp(expected) > 1e-3
    assert np.abs(found - expected).max() < 1e-5 * max(1.0, float(np.abs(expected).max()))
