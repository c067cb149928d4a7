"""Stratified cuts of a labelled set: every part gets each class in its share, and at least one image of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nas.data.source import some
from search_spaces.errors import UsageError

Integers = NDArray[np.int64]


def allocate(counts: Integers, total: int, most: Integers) -> Integers:
    """Share ``total`` among classes in proportion to ``counts``, by largest remainder, each between 1 and ``most``.

    Args:
        counts: images of each class, (num_classes,).
        total: between num_classes and ``most.sum()``.
        most: what may be taken of each class, (num_classes,), at least 1.

    Returns:
        Images to take of each class; they sum to ``total``.
    """
    assert len(counts) <= total <= most.sum()
    share = counts * (total / counts.sum())
    taken: Integers = np.clip(np.floor(share), 1, most).astype(np.int64)
    while taken.sum() < total:
        taken[np.argmax(np.where(taken < most, share - taken, -np.inf))] += 1
    while taken.sum() > total:
        taken[np.argmin(np.where(taken > 1, share - taken, np.inf))] -= 1
    return taken


def sample(labels: Integers, num_images: int, origin: str, generator: np.random.Generator) -> Integers:
    """Return the sorted indices of a stratified random sample of ``num_images`` of the labels.

    Raises:
        UsageError: fewer images than classes.
    """
    counts = np.bincount(labels)
    if num_images < len(counts):
        raise UsageError(
            f"{origin}: max_images = {num_images} is fewer than the {len(counts)} classes: give at least 4 a class"
        )
    quotas = allocate(counts, num_images, counts)
    return np.flatnonzero(_rank_within_class(labels, generator) < quotas[labels])


def cut(
    labels: Integers,
    class_names: Sequence[str],
    sizes: Mapping[str, int],
    origin: str,
    generator: np.random.Generator,
) -> dict[str, Integers]:
    """Cut parts of given sizes from a labelled set; what is left is ``training``.

    Args:
        labels: (n,), each class of ``class_names`` at least once.
        class_names: in the order of the labels.
        sizes: images of each part.
        origin: where the labels come from, for messages.
        generator: decides which images go where.

    Returns:
        Sorted indices of each part and of ``training``: disjoint, together all of them.

    Raises:
        UsageError: a class has too few images to be in every part, or a size is too small or too large for that.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    _require_enough_images(counts, class_names, [*sizes, "training"], origin)
    left = counts.copy()
    quotas = []
    for later, (part, size) in zip(range(len(sizes), 0, -1), sizes.items(), strict=True):
        _require_size(part, size, len(counts), int((left - later).sum()), origin)
        quotas.append(allocate(left, size, left - later))
        left -= quotas[-1]
    bounds = np.cumsum(quotas, axis=0)
    part_of = (_rank_within_class(labels, generator) >= bounds[:, labels]).sum(axis=0)
    return {part: np.flatnonzero(part_of == number) for number, part in enumerate([*sizes, "training"])}


def _rank_within_class(labels: Integers, generator: np.random.Generator) -> Integers:
    """Return for each image its place in a random order of the images of its class, (n,)."""
    shuffled = generator.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    counts = np.bincount(labels)
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _require_enough_images(counts: Integers, class_names: Sequence[str], parts: Sequence[str], origin: str) -> None:
    short = np.flatnonzero(counts < len(parts))
    if len(short):
        named = some([f"{class_names[label]!r} has {counts[label]}" for label in short.tolist()])
        raise UsageError(
            f"{origin}: class {named}: each class needs at least {len(parts)} images, one each for "
            f"{', '.join(parts)}: add images, remove the class or raise max_images"
        )


def _require_size(part: str, size: int, least: int, most: int, origin: str) -> None:
    if not least <= size <= most:
        setting = "calibration_images" if part == "calibration" else f"{part}_fraction"
        raise UsageError(
            f"{origin}: {setting} makes {part} {size} images: allowed {least} (one a class) to {most} "
            f"(every class stays in the other parts): {'raise' if size < least else 'lower'} it"
        )
