from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.blocks.prototype_attention import HEAD_DIM, PrototypeAttention, num_heads, prototypes
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import Layer, total
from search_spaces.testing_blocks import fill
from search_spaces.tokens import CrossAttention

SIZES = ((3, 2), (5, 7), (1, 40))


def inputs(queries: int, width: int, size: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visible = torch.rand(2, queries, size[0] * size[1], generator=generator) < 0.6
    visible[..., 0] = True
    return (
        torch.randn(2, queries, width, generator=generator),
        torch.randn(2, width, *size, generator=generator),
        visible,
    )


def filled(width: int) -> PrototypeAttention:
    module = PrototypeAttention(width).eval()
    fill(module, torch.Generator().manual_seed(1))
    return module


class OfOne(nn.Module):
    """The attention as a module of one input, which fvcore traces."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = PrototypeAttention(width)

    def forward(self, given: tuple[Tensor, ...]) -> Tensor:
        return self.attention(*given)


def measured(width: int, queries: int, size: tuple[int, int]) -> tuple[int, int, int]:
    return fvcore_totals(OfOne(width), tuple(value[:1] for value in inputs(queries, width, size)))


def by_loops(module: PrototypeAttention, queries: Tensor, pixels: Tensor, visible: Tensor) -> Tensor:
    """The definition written out, one image, query and head after the other."""
    num, count, _ = queries.shape
    found = []
    for n in range(num):
        local = module.local(module.pixel_norm(pixels[n : n + 1]))[0].flatten(1).T
        keys = [key / key.norm() for key in module.keys(local)]
        asked = [one / one.norm() for one in module.queries(module.query_norm(queries[n]))]
        chosen = []
        for q in range(count):
            parts = []
            for head in range(module.heads):
                own = slice(head * HEAD_DIM, (head + 1) * HEAD_DIM)
                allowed = [p for p in range(len(keys)) if visible[n, q, p]]
                best = max(allowed, key=lambda p, q=q, own=own: float(keys[p][own] @ asked[q][own]))  # type: ignore[misc]
                parts.append(keys[best][own])
            chosen.append(torch.cat(parts))
        mixed = torch.stack([module.mix(chosen[q] * asked[q]) for q in range(count)])
        lengths = mixed.square().sum(0).sqrt()
        found.append(module.projection(module.alpha * mixed / lengths + torch.stack(chosen)))
    return torch.stack(found)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [16, 12])
def test_it_is_its_definition_written_out_in_loops(width: int, size: tuple[int, int]) -> None:
    module = filled(width).double()
    queries, pixels, visible = inputs(4, width, size)
    with torch.no_grad():
        found = module(queries.double(), pixels.double(), visible)
        expected = by_loops(module, queries.double(), pixels.double(), visible)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_a_query_takes_exactly_the_pixel_that_is_most_similar_among_those_it_sees() -> None:
    keys = torch.eye(HEAD_DIM)[None]
    queries = torch.tensor([0.1, 0.9, 0.3, 0, 0, 0, 0, 0]).expand(1, 2, -1)
    visible = torch.ones(1, 2, HEAD_DIM, dtype=torch.bool)
    visible[0, 1, 1] = False
    found = prototypes(queries, keys, visible, 1)
    assert torch.equal(found, keys[:, [1, 2]])


def test_heads_choose_for_themselves() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, keys = (torch.randn(1, number, 16, generator=generator) for number in (3, 20))
    visible = torch.ones(1, 3, 20, dtype=torch.bool)
    both = prototypes(queries, keys, visible, 2)
    each = [prototypes(queries[..., own], keys[..., own], visible, 1) for own in (slice(8), slice(8, 16))]
    assert torch.equal(both, torch.cat(each, -1))


def test_the_gradient_reaches_the_chosen_pixels_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, keys = (torch.randn(1, number, 8, generator=generator) for number in (2, 20))
    keys.requires_grad_()
    visible = torch.ones(1, 2, 20, dtype=torch.bool)
    prototypes(queries, keys, visible, 1).sum().backward()
    assert keys.grad is not None
    reached = set(keys.grad[0].any(-1).nonzero().flatten().tolist())
    assert reached == set((queries @ keys.transpose(1, 2)).argmax(-1).flatten().tolist())


def test_whatever_pixels_that_are_not_chosen_hold_the_output_is_the_same() -> None:
    """Softmax attention would move with every pixel."""
    generator = torch.Generator().manual_seed(0)
    queries, keys = (torch.randn(1, number, 8, generator=generator) for number in (2, 20))
    visible = torch.ones(1, 2, 20, dtype=torch.bool)
    before = prototypes(queries, keys, visible, 1)
    chosen = (queries @ keys.transpose(1, 2)).argmax(-1).flatten()
    others = torch.ones(20, dtype=torch.bool).index_fill(0, chosen, value=False)
    keys[:, others] *= 0.5
    assert torch.equal(prototypes(queries, keys, visible, 1), before)


@pytest.mark.parametrize("size", SIZES)
def test_costs_what_fvcore_counts(size: tuple[int, int]) -> None:
    for width, queries in ((16, 5), (12, 1)):
        found = total(PrototypeAttention.layers(width, queries, size), "fvcore")
        assert (found.params, found.macs, found.activations) == measured(width, queries, size)


def similarity(layers: tuple[Layer, ...]) -> int:
    return sum(layer.macs for layer in layers if layer.op == "attention")


@pytest.mark.parametrize("width", [16, 32])
def test_a_query_costs_the_same_on_every_map_but_for_one_product_with_the_pixels(width: int) -> None:
    """Of a further query: HEAD_DIM MACs a pixel and head for its similarities, and a constant for all else."""
    inner = num_heads(width) * HEAD_DIM

    def closed(queries: int, size: tuple[int, int]) -> int:
        return total(PrototypeAttention.layers(width, queries, size)).macs

    def traced(queries: int, size: tuple[int, int]) -> int:
        return measured(width, queries, size)[1]

    for count, others in ((closed, 0), (traced, 5 * width)):
        rest = {count(6, size) - count(5, size) - inner * size[0] * size[1] for size in SIZES}
        # Linear maps of a query: into the heads, the mix, out of them; fvcore counts its LayerNorm as well.
        assert rest == {2 * width * inner + inner**2 + others}
    for size in SIZES:
        assert similarity(PrototypeAttention.layers(width, 6, size)) == 6 * inner * size[0] * size[1]


def test_softmax_attention_pays_a_second_product_with_the_pixels() -> None:
    width, heads, cells = 16, num_heads(16), 35
    softmax = CrossAttention.layers(width, heads, HEAD_DIM, 6, cells)
    assert similarity(softmax) == 2 * similarity(PrototypeAttention.layers(width, 6, (5, 7)))


def test_without_alpha_it_is_the_prototypes_alone() -> None:
    module = filled(16).double()
    queries, pixels, visible = (x.double() if x.is_floating_point() else x for x in inputs(4, 16, (3, 2)))
    with torch.no_grad():
        module.alpha.zero_()
        plain = module(queries, pixels, visible)
        local = module.local(module.pixel_norm(pixels)).flatten(2).transpose(1, 2)
        keys = F.normalize(module.keys(local), dim=-1)
        asked = F.normalize(module.queries(module.query_norm(queries)), dim=-1)
        expected = module.projection(prototypes(asked, keys, visible, module.heads))
    torch.testing.assert_close(plain, expected, atol=1e-12, rtol=0)
