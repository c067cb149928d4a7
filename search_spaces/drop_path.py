"""Drop path scaled with depth: residual blocks are skipped at random in training (Huang et al. 2016, arXiv 1603.09382).

A block says ``residual = True`` when its output is its input plus what it adds (plus an activation at most). Where both
have one shape, what it adds to an image is dropped with the block's probability, and scaled up where it is not, so that
its mean stays. Block i of the n in a network's stages has i / n of the last one's probability.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def skip_at_random(module: nn.Module, x: Tensor, out: Tensor, rate: float) -> Tensor:
    """Return ``out`` of residual ``module`` for input ``x``, skipped for images at random, or as it is.

    Args:
        module: the block; one that is not residual, or changes the shape, is never skipped.
        x: its input, (n, ...).
        out: its output.
        rate: probability to skip it, 0 to less than 1; drawn from torch's global generator.
    """
    if not getattr(module, "residual", False) or out.shape != x.shape:
        return out
    kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= rate
    return x + (out - x) * (kept / (1 - rate)).to(out.dtype)


def depth_rates(rate: float, num_blocks: int) -> list[float]:
    """Return the probability of each of a network's placed blocks; stem and head, the first and last, have none."""
    num = num_blocks - 2
    return [0.0, *(rate * number / num for number in range(1, num + 1)), 0.0]
