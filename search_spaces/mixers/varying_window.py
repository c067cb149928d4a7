"""Varying-window attention: a window of queries sees a context R times as wide, at the cost of the window (VWA).

The queries of each P x P window attend to the (R P) x (R P) cells around it (zeros outside the map), averaged R x R
back to P x P keys and values, so that the cost of attention is that of plain windows for every R; R = 1 is them. A
re-implementation from the abstract of "VWFormer" (Yan et al. 2024, arXiv 2404.16573), whose own scaling of the context
is not public: here it is the mean, and one projection serves queries and context.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.layout import declare, product
from search_spaces.maps import cells_last
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import attention_products, linear_layer
from search_spaces.window_sizes import clipped_window
from search_spaces.windows import from_near_windows, near_windows

RATIO = 2


def contexts(x: Tensor, side: int, ratio: int) -> Tensor:
    """Return the context (N x windows, side^2, C) of each window of a map (N, H, W, C), averaged to its side."""
    if ratio == 1:
        return near_windows(x, side)
    border = side * (ratio - 1) // 2
    extra = side * (ratio - 1) - border
    padded = nn.functional.pad(x.permute(0, 3, 1, 2), (border, extra, border, extra))
    rows, columns = x.shape[1] // side, x.shape[2] // side
    parts = padded.unfold(2, ratio * side, side).unfold(3, ratio * side, side)
    parts = parts.reshape(*parts.shape[:4], side, ratio, side, ratio).mean((5, 7))
    return parts.permute(0, 2, 3, 4, 5, 1).reshape(x.shape[0] * rows * columns, side * side, x.shape[3])


@register_mixer("varying_window", reach="window")
class VaryingWindow(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place, ratio: int = RATIO) -> None:
        super().__init__()
        self.size, self.side, self.ratio = place.size, clipped_window(place.window, place.size), ratio
        self.heads, self.head_dim = place.heads, place.head_dim
        inner = product(place.heads, place.head_dim)
        self.query = nn.Linear(place.width, inner.size)
        self.keys_values = nn.Linear(place.width, 2 * inner.size)
        self.projection = nn.Linear(inner.size, place.width)
        declare(self.query.weight, inner, place.width)
        declare(self.query.bias, inner)
        declare(self.keys_values.weight, product(2, inner), place.width)
        declare(self.keys_values.bias, product(2, inner))
        declare(self.projection.weight, place.width, inner)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map."""
        cells = cells_last(x)
        queries, context = near_windows(cells, self.side), contexts(cells, self.side, self.ratio)
        split = (queries.shape[0], self.side**2, self.heads, self.head_dim)
        keys, values = self.keys_values(context).chunk(2, -1)
        q, k, v = (part.reshape(split).transpose(1, 2) for part in (self.query(queries), keys, values))
        attended = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        projected = self.projection(attended.reshape(queries.shape[0], self.side**2, -1))
        return from_near_windows(projected, self.side, self.size).permute(0, 3, 1, 2)

    @staticmethod
    def layers(place: Place, held: int, ratio: int = RATIO) -> tuple[Layer, ...]:
        """Return what one image costs: the same MACs for every ratio."""
        side = clipped_window(place.window, place.size)
        tokens, inner = side * side, place.heads * place.head_dim
        windows, kept = place.cells // tokens, held + place.elements
        pool = (Layer("mean", 0, 0, ratio**2 * place.elements, place.elements, held=kept),) if ratio > 1 else ()
        return (
            *pool,
            linear_layer(place.width, inner, place.cells, kept),
            linear_layer(place.width, 2 * inner, place.cells, kept),
            *attention_products(place.heads, place.head_dim, tokens, tokens, windows, held),
            linear_layer(inner, place.width, place.cells, held),
        )
