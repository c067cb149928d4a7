"""The latency of single kernels on cards never seen: bounded utilisation of what the data sheet allows.

    t = ( launch_c + ( (compute / eta_c)^k + (memory / mu_c)^k )^(1/k) * 2^(stride) ) * exp(g)

Four numbers are a card's own: the share of the arithmetic rate, the share of the bandwidth, the launch, what long sums
cost; and, where a library chooses among tiles, what each costs beyond its arithmetic. What shapes do (start of a sum,
edges of tiles, steepness k, how surely the fastest tile is chosen) is shared by all, and so is how long power lets a
kernel compute at full clock. A card never seen gets the mean of the known cards, those of near generations weighing
most. ``g`` are trees over sizes, waves and shares of the L2 cache, bounded: outside the shapes and cards seen,
roofline and waves carry on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from predictors.kernel_card import Card
from predictors.kernel_features import kernel_features
from predictors.kernel_fit import LAUNCH, NUM_CARD, evaluate, fit_group
from predictors.kernel_terms import kernel_terms, num_tiles
from predictors.kernel_trees import evaluate_trees
from search_spaces.errors import UsageError, unknown

if TYPE_CHECKING:
    from predictors.kernel_table import KernelRows

Array = NDArray[np.float64]
# Generations at this distance in compute capability weigh 1/e. Which tiles are chosen for a batched product is a matter
# of the library: there, near generations are hardly more alike.
GENERATION_DISTANCE = {"bmm": 2.0}
OTHER_DISTANCE = 0.5
# Of no card trained on: half precision uses other units than those that were timed.
HALF_PRECISION_WIDENING = 1.5
KIND = "nas.kernel_model.3"


@dataclass(frozen=True, eq=False)
class GroupModel:
    """One group's fit.

    Attributes:
        tensors: ``shared`` (5,), ``cards`` (cards, 4 + tiles) and the residual's trees.
        capabilities: of the cards trained on.
        deviation: standard deviation of log latency on a card left out of its own mean, without the trees.
    """

    tensors: Mapping[str, Array]
    capabilities: Array
    deviation: float

    def log_ms(self, group: str, shapes: Mapping[str, Array], card: Card, launch_ms: float | None = None) -> Array:
        """Return the log of milliseconds, (n,): the mean of what the card would take were it like each known one.

        A library's choice of tiles and the share of the peak that it reaches belong together, so each known card lends
        all its numbers, and not their means.
        """
        residual = evaluate_trees(self.tensors, kernel_features(group, shapes, card))
        return self.formula_log_ms(group, shapes, card, launch_ms) + residual

    def formula_log_ms(
        self, group: str, shapes: Mapping[str, Array], card: Card, launch_ms: float | None = None
    ) -> Array:
        """Return ``log_ms`` without the trees."""
        terms, cards = kernel_terms(group, shapes, card), self.tensors["cards"].copy()
        if launch_ms is not None:
            cards[:, LAUNCH] = math.log(launch_ms / 1e3)
        found = [evaluate(self.tensors, terms, scalars) for scalars in cards]
        scale = GENERATION_DISTANCE.get(group, OTHER_DISTANCE)
        return near_weights(self.capabilities, card.compute_capability, scale) @ np.array(found) + math.log(1e3)


class KernelModel:
    """Fitted models of groups of operators; make one with ``fit`` or ``load``."""

    def __init__(self, groups: Mapping[str, GroupModel], source: str) -> None:
        self.groups, self.source = dict(groups), source

    @classmethod
    def fit(cls, rows: Sequence[KernelRows], source: str, seed: int = 0) -> KernelModel:
        """Return the model of these timings, each card counting alike; the same timings give the same model.

        Args:
            rows: of at least two cards, as ``kernel_table.read_kernels`` checks them.
            source: where they are from, with licence; it is stored.
            seed: of the trees and of the rows drawn where a card has many.

        Raises:
            UsageError: no operator has rows of two cards.
        """
        by_group: dict[str, list[KernelRows]] = {}
        for each in rows:
            by_group.setdefault(each.group, []).append(each)
        usable = {group: found for group, found in by_group.items() if len(found) > 1}
        if not usable:
            raise UsageError("the kernel model needs timings of an operator on at least two cards: none has them")
        return cls({group: _fit(group, found, seed) for group, found in usable.items()}, source)

    def predict(
        self, group: str, shapes: Mapping[str, Array], card: Card, launch_ms: float | None = None
    ) -> tuple[Array, Array]:
        """Return (mean, standard deviation) in milliseconds, each (n,), of a group's kernels.

        A launch takes as long as on the known cards, unless ``launch_ms`` tells how long the smallest kernel of the
        group takes with this host. At half precision the learned utilisation is taken as a share of that precision's
        peak: an extrapolation, with a wider deviation.

        Raises:
            UsageError: the group was not fitted.
        """
        if group not in self.groups:
            raise unknown("operator group", group, self.groups)
        model = self.groups[group]
        mean = np.exp(model.log_ms(group, shapes, card, launch_ms))
        widening = 1.0 if card.element_bytes == 4 else HALF_PRECISION_WIDENING
        return mean, mean * (widening * model.deviation)

    def save(self, file: Path) -> None:
        """Write the model as safetensors, its settings as JSON in the header."""
        from safetensors.numpy import save_file

        tensors = {
            f"{group}.{name}": np.ascontiguousarray(value, dtype=np.float32)
            for group, model in self.groups.items()
            for name, value in model.tensors.items()
        }
        settings = {
            group: {
                "capabilities": model.capabilities.tolist(),
                "deviation": model.deviation,
            }
            for group, model in self.groups.items()
        }
        header = {"kind": KIND, "source": self.source, "groups": json.dumps(settings, sort_keys=True)}
        save_file(tensors, file, metadata=header)

    @classmethod
    def load(cls, file: Path) -> KernelModel:
        """Return the model of ``save``.

        Raises:
            UsageError: the file is no such model.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(file, framework="numpy") as content:
                header: dict[str, str] = content.metadata() or {}
                tensors = {name: content.get_tensor(name).astype(np.float64) for name in content.keys()}  # noqa: SIM118
            if header.get("kind") != KIND:
                raise UsageError(
                    f"{file.name} is of kind {header.get('kind')!r}, not {KIND!r}: fit a kernel model again"
                )
            return cls(_groups(json.loads(header["groups"]), tensors), header["source"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"can't read the kernel model {file.name} ({type(error).__name__}): fit it again"
            ) from None


def _groups(settings: Mapping[str, Mapping[str, object]], tensors: Mapping[str, Array]) -> dict[str, GroupModel]:
    found = {}
    for group, given in settings.items():
        own = {name.removeprefix(f"{group}."): value for name, value in tensors.items() if name.startswith(f"{group}.")}
        capabilities = np.array(given["capabilities"], dtype=np.float64)
        if own["cards"].shape != (len(capabilities), NUM_CARD + num_tiles(group)):
            raise ValueError("the shapes differ")
        found[group] = GroupModel(own, capabilities, float(str(given["deviation"])))
    return found


def near_weights(capabilities: Array, compute_capability: float, scale: float = OTHER_DISTANCE) -> Array:
    """Return how much each card trained on says of one of a generation, (cards,), adding up to 1.

    Weights fall by 1/e at a distance of ``scale``; cards of the very generation stand alone.
    """
    distance = np.abs(capabilities - compute_capability) / scale
    weights = np.exp(distance.min() - distance)
    if distance.min() == 0:
        weights = np.where(distance > 0, 0.0, 1.0)
    return np.asarray(weights / weights.sum())


def _fit(group: str, rows: Sequence[KernelRows], seed: int) -> GroupModel:
    terms = [kernel_terms(group, each.shapes, each.card) for each in rows]
    features = [kernel_features(group, each.shapes, each.card) for each in rows]
    tensors = fit_group(terms, features, [each.latency_ms / 1e3 for each in rows], seed)
    capabilities = np.array([each.card.compute_capability for each in rows])
    model = GroupModel(tensors, capabilities, 0.0)
    squares = [float(np.mean(_left_out(group, model, rows, index) ** 2)) for index in range(len(rows))]
    return replace(model, deviation=math.sqrt(float(np.mean(squares))))


def _left_out(group: str, model: GroupModel, rows: Sequence[KernelRows], index: int) -> Array:
    """Return the log errors on one card when the other cards' numbers stand for its own."""
    others = [other for other in range(len(rows)) if other != index]
    tensors = {**model.tensors, "cards": model.tensors["cards"][others]}
    left = GroupModel(tensors, model.capabilities[others], 0.0)
    return left.formula_log_ms(group, rows[index].shapes, rows[index].card) - np.log(rows[index].latency_ms)
