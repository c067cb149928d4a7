"""The table that a scaling rule is learned from: networks of a trained supernetwork, their errors and their costs.

The networks are drawn so that depth, width and resolution vary far and independently: knobs of one role (the last part
of their names, as ``depth``) get one level for the whole network, each with a little of its own. Drawn knob by knob,
stages would average out and every network would be of middle size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.shape import DIMENSIONS, shape_of
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace

if TYPE_CHECKING:
    from experiments.context import Context
    from experiments.stages.training import Trained

OWN_SPREAD = 0.15
MACS = "macs"
JOURNAL = "shapes.jsonl"


def levelled_networks(space: SearchSpace, num: int, seed: int) -> Genes:
    """Return up to ``num`` distinct networks, (n, knobs), each role of ordered knobs at a level of its own."""
    rng = np.random.default_rng([seed, 2])
    roles = [knob.name.rpartition(".")[2] for knob in space.knobs]
    found: dict[Any, None] = {}
    for _ in range(20 * num):
        if len(found) == num:
            break
        levels = {role: rng.uniform() for role in dict.fromkeys(roles)}
        values = {}
        for knob, role in zip(space.knobs, roles, strict=True):
            level = levels[role] + rng.normal(0, OWN_SPREAD) if knob.ordered else rng.uniform()
            index = int(np.clip(level * len(knob.values), 0, len(knob.values) - 1))
            values[knob.name] = knob.values[index]
        found[space.architecture(_active(space, values))] = None
    return space.encode(list(found))


def _active(space: SearchSpace, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of knobs that are active given the others."""
    active: dict[str, Any] = {}
    for knob in space.knobs:
        if not knob.parent or active.get(knob.parent) in knob.parent_values:
            active[knob.name] = values[knob.name]
    return active


def shape_rows(context: Context, trained: Trained, num: int, cost: str) -> list[dict[str, Any]]:
    """Return one row a network: shape, validation error in percent, cost, and how the cost was obtained.

    Errors are kept in the study's folder, so that a run that was killed goes on.

    Args:
        context: of the study.
        trained: its shared weights.
        num: of networks.
        cost: a target of the study, or ``macs``.

    Raises:
        UsageError: the study has no such target.
    """
    from experiments.journal import Journal

    genes = levelled_networks(context.space, num, context.config.seed)
    costs, obtained = _costs(context, genes, cost)
    journal, evaluator = Journal(context.folder / JOURNAL), trained.evaluator(context)
    rows = []
    with context.talk.progress("evaluating", len(genes)) as progress:
        for number, architecture in enumerate(context.space.decode(genes)):
            key = {"architecture": architecture.key, "step": trained.points[-1]["step"]}
            blueprint = context.space.blueprint(architecture)
            found = journal.get(key) or journal.add(key, {"accuracy": evaluator.score(blueprint)})
            rows.append(
                {
                    "architecture": architecture.key,
                    **dict(zip(DIMENSIONS, shape_of(blueprint), strict=True)),
                    "validation_error": 100.0 - found["accuracy"],
                    "cost": float(costs[number]),
                    "cost_obtained": obtained,
                }
            )
            progress(number + 1)
    return rows


def _costs(context: Context, genes: Genes, cost: str) -> tuple[Any, str]:
    """Return the cost of each network, (n,), and how it was obtained."""
    from experiments.stages.latency import learn_latency
    from predictors.target import parse_target
    from search_spaces.population import PopulationCost

    if cost == MACS:
        return PopulationCost(context.space).counts(genes)[:, 1], "analytic"
    wanted = parse_target(cost).text
    for latency in learn_latency(context):
        if latency.target.name == wanted:
            return latency.predict(genes)[0], latency.obtained
    raise UsageError(
        f"--cost got {cost!r}: the study has the targets {', '.join(context.config.latency.targets)}: give one of them "
        f"or {MACS}"
    )
