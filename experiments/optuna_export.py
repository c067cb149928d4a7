"""A study's evaluations as trials of an Optuna storage, for what reads those: dashboards, plots, samplers."""

from __future__ import annotations

import json
import logging
from typing import Any

from experiments.store.store import Study
from experiments.stored_front import StoredFront, stored_front
from search_spaces.errors import ConflictError, StorageError, missing_extra

CHUNK = 1000


def export_to_optuna(study: Study, url: str, name: str) -> int:
    """Write every evaluation as a finished trial of a new Optuna study, and return how many there are.

    Parameters are the knobs, each a categorical of the values that occur; objectives are the study's, in their own
    directions, their names under ``objectives`` of the study's ``user_attrs``; the architecture's key in each trial's.

    Args:
        study: with evaluations.
        url: of Optuna's storage, as ``sqlite:///optuna.db``; made if it is not there.
        name: of the Optuna study.

    Raises:
        ConflictError: there is one of this name.
        StorageError: the storage can't be written.
    """
    try:
        import optuna
    except ImportError:
        raise missing_extra("optuna", "tune") from None
    from sqlalchemy.exc import SQLAlchemyError

    front = stored_front(study)
    directions = ["minimize" if objective.direction == "min" else "maximize" for objective in front.objectives]
    optuna_log = logging.getLogger("optuna")
    level = optuna_log.level
    optuna_log.setLevel(logging.WARNING)
    try:
        made = optuna.create_study(storage=url, study_name=name, directions=directions)
        made.set_user_attr("objectives", [objective.name for objective in front.objectives])
        trials = _trials(study, front)
        for start in range(0, len(trials), CHUNK):
            made.add_trials(trials[start : start + CHUNK])
    except optuna.exceptions.DuplicatedStudyError:
        raise ConflictError(f"the Optuna storage has a study {name!r}: give another --name") from None
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise StorageError(f"the Optuna storage failed: {' '.join(str(error).split())[:200]}: check its URL") from None
    finally:
        optuna_log.setLevel(level)
    return len(trials)


def _trials(study: Study, front: StoredFront) -> list[Any]:
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import create_trial

    stored = study.architectures_of(front.sequences.tolist())
    knobs = {sequence: _knobs(content) for sequence, (_, content) in stored.items()}
    choices: dict[str, dict[str, None]] = {}
    for values in knobs.values():
        for knob, value in values.items():
            choices.setdefault(knob, {})[value] = None
    distributions = {knob: CategoricalDistribution(tuple(found)) for knob, found in choices.items()}
    return [
        create_trial(
            values=values,
            params=knobs.get(sequence, {}),
            distributions={knob: distributions[knob] for knob in knobs.get(sequence, {})},
            user_attrs={"architecture": stored[sequence][0] if sequence in stored else ""},
        )
        for sequence, values in zip(front.sequences.tolist(), front.values.tolist(), strict=True)
    ]


def _knobs(content: str) -> dict[str, Any]:
    """Return the knobs of an architecture's canonical JSON."""
    return dict(json.loads(content).get("knobs", {}))
