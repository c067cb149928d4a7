"""Populations in parts whose matrices stay in the processor's cache."""

from __future__ import annotations


def chunks(num_rows: int, size: int) -> list[slice]:
    """Return the slices of ``size`` rows that make up ``num_rows``; one that is empty where there are none."""
    return [slice(start, start + size) for start in range(0, max(num_rows, 1), size)]
