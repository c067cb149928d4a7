"""Where a token mixer stands. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.errors import UsageError

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that a token mixer is made from and counted by.

    Attributes:
        width: channels, in and out.
        size: (height, width) of the map.
        kernel: side of the neighbourhood of a mixer that has a kernel; odd.
        window: side of the windows of a mixer that has windows; the map's side where that is smaller.
        head_dim: channels of an attention head.
        shifted: whether this is every second mixer of its stage: windows are shifted, groups are of far cells.

    Raises:
        UsageError: the kernel is even or smaller than 1.
    """

    width: int
    size: Size
    kernel: int = 3
    window: int = 4
    head_dim: int = 8
    shifted: bool = False

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise UsageError(f"kernel got {self.kernel}: same-padded convolutions take odd kernels")

    @property
    def cells(self) -> int:
        """The number of cells of the map."""
        return self.size[0] * self.size[1]

    @property
    def elements(self) -> int:
        """The number of elements of the map."""
        return self.width * self.cells

    @property
    def heads(self) -> int:
        """As many attention heads as the width holds, at least one."""
        return max(1, self.width // self.head_dim)

    def require_multiple(self, mixer: str, step: int) -> None:
        """Raise UsageError unless ``step`` divides the width."""
        if self.width % step:
            raise UsageError(f"token mixer {mixer!r} got width {self.width}: allowed: multiples of {step}")
