"""What the states of a study mean.

| state | meaning | verbs |
|---|---|---|
| ``new`` | made by a command that runs it itself, or not run yet | cancel |
| ``queued`` | waits for a runner, which will take it | pause, stop, cancel |
| ``running`` | a live runner holds it | pause, stop, cancel |
| ``pausing`` | the same; the runner begins no more work, and then leaves it paused | resume, stop, cancel |
| ``stopping`` | the same; then it is stopped | cancel |
| ``paused`` | waits for ``resume`` | resume, stop, cancel |
| ``interrupted`` | its runner was interrupted or died; one of the queue is taken over | resume, stop, cancel |
| ``failed`` | its runner met an error, named in ``reason`` | resume: tries again |
| ``stopped`` | ended early after the work that ran, or its budget was spent; final | |
| ``cancelled`` | ended at once, the work that ran thrown away; final | |
| ``done`` | everything is there; final | |

What is finished is kept in every one of them. ``pausing``, ``stopping`` and the ``interrupted`` of a dead runner are
not stored: they are how a stored ``running`` is shown.
"""

from __future__ import annotations

from typing import Literal

from experiments.store.models import StudyRow
from experiments.store.runner import is_live
from search_spaces.errors import ConflictError

Ended = Literal["done", "failed", "interrupted", "paused", "stopped"]
EVALUATION = "evaluation"
HELD = ("running", "pausing", "stopping")
"""States in which a runner holds a study."""
WISHED = {"pause": ("pausing", "paused"), "stop": ("stopping", "stopped")}


class Fenced(ConflictError):  # noqa: N818 - a word of the design: a late runner is fenced out
    """Another runner took the study (or it was cancelled or deleted): this runner may write no more.

    It ends with exit code 0: what it finished is kept, and the study is in other hands.
    """

    exit_code = 0


class Halted(ConflictError):  # noqa: N818 - no error: a person or a budget ended the study early
    """No more work may begin: the study is to be ``state``, for ``reason``. The command ends with exit code 0."""

    exit_code = 0

    def __init__(self, name: str, state: Literal["paused", "stopped"], reason: str) -> None:
        then = "nas study resume goes on with it" if state == "paused" else "what it finished is kept"
        super().__init__(f"study {name!r} is {state} ({reason}): {then}")
        self.state: Literal["paused", "stopped"] = state
        self.reason = reason


def shown_state(row: StudyRow, now: float, lease_s: float) -> str:
    """Return the state as a person sees it at ``now``, the database's time."""
    if row.state != "running":
        return row.state
    live = is_live(row, now, lease_s)
    if row.wish is not None:
        return WISHED[row.wish][0 if live else 1]
    return "running" if live else "interrupted"


def check_may_begin(row: StudyRow, kind: str) -> None:
    """Raise Halted if a wish or a budget forbids to begin work of ``kind``."""
    if row.wish == "pause":
        raise Halted(row.name, "paused", "as asked")
    if row.wish == "stop":
        raise Halted(row.name, "stopped", "as asked")
    if row.max_hours is not None and row.used_s >= 3600 * row.max_hours:
        raise Halted(row.name, "stopped", f"its budget of {row.max_hours:g} hours is spent")
    if kind == EVALUATION and row.max_evaluations is not None and row.num_evaluations >= row.max_evaluations:
        raise Halted(row.name, "stopped", f"its budget of {row.max_evaluations} evaluations is spent")
