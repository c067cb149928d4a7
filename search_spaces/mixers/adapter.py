"""What makes a module of another block a token mixer: the module, and whether its maps have their channels last."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.maps import cells_last


class Adapter(nn.Module):
    """(N, C, H, W) -> same shape, by ``inner``."""

    def __init__(self, inner: nn.Module, channels_last: bool = False) -> None:
        super().__init__()
        self.inner, self.channels_last = inner, channels_last

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed map."""
        out: Tensor = self.inner(cells_last(x) if self.channels_last else x)
        return out.permute(0, 3, 1, 2) if self.channels_last else out
