"""What was known of the score of a finalist before it was evaluated again, and of the robust set, for the report."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.report.data import NamedQuantity, PredictorFit, Quantity, RobustNetworks
from experiments.stages.fronts import Candidate, Fronts
from nas.search.robust import MARGIN


def score_before(candidate: Candidate, fits: Sequence[PredictorFit]) -> list[NamedQuantity]:
    """Return the score as a model of the other evaluated networks predicts it, and as the search measured it."""
    found, score = [], candidate.score
    for fit in fits:
        for point in fit.points if fit.quantity == score.quantity else ():
            if point.key == candidate.architecture.key:
                value = Quantity(value=point.predicted, unit=score.unit, obtained="predicted", spread=point.spread)
                recipe = "a Gaussian process fitted on all other evaluated networks"
                found.append(NamedQuantity(name=f"predicted_{score.quantity}", quantity=value, recipe=recipe))
    value = Quantity(value=score.value, unit=score.unit, obtained=score.obtained, spread=score.spread)
    recipe = "inside the supernetwork, inherited weights; the choice was made by it"
    return [*found, NamedQuantity(name=f"searched_{score.quantity}", quantity=value, recipe=recipe)]


def robust_networks(fronts: Fronts) -> RobustNetworks | None:
    """Return the robust set beside the chosen networks; None for a single target."""
    if fronts.robust is None:
        return None
    return RobustNetworks(
        labels=tuple(fronts.candidates[row].label for row in fronts.robust.rows),
        lost=fronts.robust.lost,
        chosen_lost=fronts.chosen_lost,
        reference=f"The hypervolume reaches {100 * MARGIN:.0f} % beyond the worst values of each front.",
    )
