"""From groups of raw columns to one matrix on which priors of equal strength mean the same in every space.

Columns are centred on a reference population and, where a group holds quantities of different units, divided by their
standard deviation. Each group is then scaled so that its rows have a mean squared length of one: a linear kernel over
three columns and one over three hundred explain equally much a priori.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from predictors.kernels import Array
from search_spaces.errors import UsageError

# Columns whose standard deviation is below this share of their mean do not vary.
MIN_SPREAD = 1e-9


@dataclass(frozen=True)
class Group:
    """Columns of one meaning.

    Attributes:
        name: key in the mapping of matrices.
        log_weight: log variance a priori, relative to the other groups.
        standardise: whether columns are divided by their standard deviation; one-hot columns are not.
        trend: whether latency is expected to grow with each of the columns, as with MACs.
    """

    name: str
    log_weight: float = 0.0
    standardise: bool = True
    trend: bool = False


@dataclass(frozen=True)
class Encoding:
    """The scaling of every column.

    Attributes:
        groups: in the order of the columns.
        widths: number of raw columns of each group.
        centre: (sum of widths,).
        scale: factor of each column, (sum of widths,); 0 where a column does not vary.
    """

    groups: tuple[Group, ...]
    widths: tuple[int, ...]
    centre: Array
    scale: Array

    @classmethod
    def of(cls, groups: Sequence[Group], population: Mapping[str, Array]) -> Encoding:
        """Return the encoding that a reference population of (n, d) matrices defines."""
        centres, scales = [], []
        for group in groups:
            rows = population[group.name]
            centre, spread = rows.mean(axis=0), rows.std(axis=0)
            varies = spread > MIN_SPREAD * np.maximum(np.abs(centre), 1e-300)
            factor = np.where(varies, 1.0 / np.where(varies & group.standardise, spread, 1.0), 0.0)
            length = float(np.sqrt(np.sum((factor * spread) ** 2)))
            centres.append(centre)
            scales.append(factor / length if length else factor)
        widths = tuple(population[group.name].shape[1] for group in groups)
        return cls(tuple(groups), widths, np.concatenate(centres), np.concatenate(scales))

    def __call__(self, inputs: Mapping[str, Array]) -> Array:
        """Return the encoded rows, (n, sum of widths).

        Raises:
            UsageError: a group is missing or has another number of columns.
        """
        for group, width in zip(self.groups, self.widths, strict=True):
            if group.name not in inputs:
                raise UsageError(f"the columns {group.name!r} are missing: the model was fitted with them")
            given = inputs[group.name].shape[1]
            if given != width:
                raise UsageError(f"{group.name} has {given} columns: the model was fitted on {width}")
        rows = np.hstack([inputs[group.name] for group in self.groups])
        rows -= self.centre
        rows *= self.scale
        return rows

    @property
    def slices(self) -> list[slice]:
        """The columns of each group."""
        ends = np.cumsum(self.widths).tolist()
        return [slice(end - width, end) for end, width in zip(ends, self.widths, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, the inverse of ``from_dict``."""
        return {
            "groups": [[g.name, g.log_weight, g.standardise, g.trend] for g in self.groups],
            "widths": list(self.widths),
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Encoding:
        """Return the encoding of ``to_dict``'s data."""
        return cls(
            tuple(Group(*group) for group in content["groups"]),
            tuple(content["widths"]),
            np.array(content["centre"], dtype=np.float64),
            np.array(content["scale"], dtype=np.float64),
        )
