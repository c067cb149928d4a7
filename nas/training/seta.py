"""SeTa: which training images an epoch sees (Zhou et al. 2025, arXiv 2503.13385). No torch here.

Three steps: a share r of the images is left out at random; the others are grouped by their last loss, into k groups by
k-means, from easy to hard; a window over the groups moves from easy to hard, one group an epoch, and starts again. The
last epochs (1 - delta of them) leave out the random share alone, and so does the first, before any loss is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas.data.streams import PRUNE, stream
from nas.training.part_settings import PartSettings
from search_spaces.errors import UsageError

INITIAL_LOSS = 3.0
"""The loss of an image that no epoch has seen yet."""
MAX_ROUNDS = 100

Losses = NDArray[np.float32]
Indices = NDArray[np.int64]


class PruningSettings(PartSettings):
    """How much of the training set an epoch leaves out.

    Attributes:
        prune_ratio: r, the share that is left out at random.
        num_groups: k, groups of similar loss.
        window: share of the groups that an epoch sees.
        delta: share of the epochs before the window opens for good.
    """

    prune_ratio: float = Field(0.3, ge=0, lt=1)
    num_groups: int = Field(10, ge=1)
    window: float = Field(0.5, gt=0, le=1)
    delta: float = Field(0.875, ge=0, le=1)


def initial_losses(num_images: int) -> Losses:
    """Return the losses before training, (num_images,)."""
    return np.full(num_images, INITIAL_LOSS, dtype=np.float32)


def images_of_epoch(seed: int, epoch: int, num_epochs: int, losses: Losses, settings: PruningSettings) -> Indices:
    """Return the images of ``epoch`` in the order in which they are trained: a pure function of its arguments.

    Args:
        seed: of what is left out at random and of the order.
        epoch: counted from 0.
        num_epochs: of the whole training.
        losses: the last loss of each training image, (num_images,); ``initial_losses`` before any.
        settings: how much is left out.

    Returns:
        Distinct indices of images, at least one.

    Raises:
        UsageError: a loss is not finite.
    """
    wrong = np.flatnonzero(~np.isfinite(losses))
    if len(wrong):
        raise UsageError(
            f"the loss of training image {wrong[0]} is {losses[wrong[0]]} ({len(wrong)} such images): losses must be "
            "finite: look at the image, or lower training.learning_rate"
        )
    rng = stream(seed, PRUNE, epoch)
    num_kept = max(1, round((1 - settings.prune_ratio) * len(losses)))
    kept = rng.permutation(len(losses))[:num_kept]
    if epoch == 0 or epoch >= settings.delta * num_epochs:
        return kept
    groups = loss_groups(losses[kept], settings.num_groups)
    first, last = window_of_epoch(epoch, len(groups), settings.window)
    return kept[np.sort(np.concatenate(groups[first:last]))]


def window_of_epoch(epoch: int, num_groups: int, share: float) -> tuple[int, int]:
    """Return the first group that ``epoch`` sees and the one after the last."""
    size = max(1, round(share * num_groups))
    first = epoch % (num_groups - size + 1)
    return first, first + size


def loss_groups(losses: Losses, num_groups: int) -> list[Indices]:
    """Return the indices of ``losses`` in at most ``num_groups`` groups, none empty, from the lowest losses up.

    k-means on a line: Lloyd's rounds from evenly spaced quantiles, which are few array operations on sorted losses.
    Losses with fewer different values than groups are cut into groups of equal size.
    """
    order = np.argsort(losses, kind="stable")
    values = losses[order].astype(np.float64)
    different = np.unique(values)
    if len(different) <= num_groups:
        return [group for group in np.array_split(order, num_groups) if len(group)]
    sums = np.concatenate([[0.0], np.cumsum(values)])
    centres = different[(2 * np.arange(num_groups) + 1) * len(different) // (2 * num_groups)]
    bounds = np.zeros(num_groups + 1, dtype=np.int64)
    for _ in range(MAX_ROUNDS):
        middles = (centres[1:] + centres[:-1]) / 2
        found = np.concatenate([[0], np.searchsorted(values, middles), [len(values)]])
        if np.array_equal(found, bounds):
            break
        bounds, counts = found, np.diff(found)
        centres = np.where(counts > 0, np.diff(sums[bounds]) / np.maximum(counts, 1), centres)
    return [group for group in np.split(order, bounds[1:-1]) if len(group)]
