"""Which of very many networks a page shows: an even sample, and those that must not be missing in it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def sampled(total: int, limit: int, always: Iterable[int] = ()) -> list[int]:
    """Return the places of about ``limit`` of ``total`` things in order: ``always``, and evenly many of the others.

    The first and the last of the others are among them; more than ``limit`` are returned where ``always`` are more.
    """
    if total <= limit:
        return list(range(total))
    kept = set(always)
    others = [place for place in range(total) if place not in kept]
    even = np.linspace(0, len(others) - 1, min(len(others), max(0, limit - len(kept)))).round().astype(int)
    return sorted({*kept, *(others[place] for place in even)})
