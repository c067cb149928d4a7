"""Studies by name: found, made, or refused in one line."""

from __future__ import annotations

import itertools
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from experiments.store.models import MAX_NAME, StudyRow
from experiments.store.values import differences, encode
from search_spaces.errors import ConflictError, UsageError, unknown

MAX_SEED = 2**63 - 1

Complete = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Adds to settings what they lack: those of an earlier version lack the keys that have come since."""


def find_row(session: Session, name: str) -> StudyRow | None:
    """Return the study of this name, or None."""
    return session.scalar(select(StudyRow).where(StudyRow.name == name)) if unfit(name) is None else None


def get_row(session: Session, name: str) -> StudyRow:
    """Return the study of this name.

    Raises:
        UsageError: there is none; close names are listed.
    """
    row = find_row(session, name)
    if row is None:
        raise unknown("study", name, session.scalars(select(StudyRow.name)))
    return row


def make_row(
    session: Session, name: str, settings: Mapping[str, Any], seed: int, complete: Complete = dict
) -> StudyRow:
    """Return the study of this name, made if there is none; settings are compared after ``complete``.

    Raises:
        UsageError: the name, the seed or a setting can't be stored.
        ConflictError: there is one, with other settings or another seed.
    """
    check_name(name, "study")
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"seed {seed}: allowed: 0 to {MAX_SEED}")
    content = encode(settings, "settings")
    row = find_row(session, name) or _insert(session, StudyRow(name=name, settings=content, seed=seed))
    _check_same(row, content, seed, complete)
    return row


def _insert(session: Session, row: StudyRow) -> StudyRow:
    """Return the row as stored; another process may have been the first with this name."""
    try:
        with session.begin_nested():
            session.add(row)
        return row
    except IntegrityError:
        return get_row(session, row.name)


def _check_same(row: StudyRow, settings: Any, seed: int, complete: Complete) -> None:
    given, stored = complete(settings), complete(row.settings)
    changed = itertools.chain(differences(row.seed, seed, "seed"), differences(stored, given))
    first = list(itertools.islice(changed, 3))
    if first:
        raise ConflictError(
            f"study {row.name!r} has other settings ({'; '.join(first)}): "
            f"give another name, or run nas study delete {shlex.quote(row.name)} to begin anew"
        )


def check_name(name: str, what: str, longest: int = MAX_NAME) -> str:
    """Return ``name`` if every database stores it alike.

    Raises:
        UsageError: it does not.
    """
    reason = unfit(name, longest)
    if reason:
        raise UsageError(
            f"{what} name {name[:40]!r} {reason}: allowed: 1 to {longest} characters, no control characters, "
            "no space at either end"
        )
    return name


def unfit(name: str, longest: int = MAX_NAME) -> str | None:
    """Return why a name can't be stored alike on every database, or None."""
    if not name or len(name) > longest:
        return f"has {len(name)} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "has a control character"
    return "has a space at an end" if name != name.strip() else None
