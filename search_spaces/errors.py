"""The one tree of errors. Each leaf carries the exit code that the command line ends with.

NasError (1, failure)
├── UsageError (2): a value, key, file or argument that a person gave
├── ConflictError (3): the state of a study forbids the call
├── StorageError (4): database, disk or folder
└── PartialError (5): the job ended, but some of its parts failed

A message says in one line what was given, what is allowed and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NasError(Exception):
    """Root of every error that this software raises on purpose."""

    exit_code = 1


class UsageError(NasError):
    """Something that a person gave can't be used."""

    exit_code = 2


class ConflictError(NasError):
    """What was asked does not fit the state that is stored."""

    exit_code = 3


class StorageError(NasError):
    """A database, disk or folder failed or refused."""

    exit_code = 4


class PartialError(NasError):
    """The job ended, with parts that failed and are named."""

    exit_code = 5


def unknown(what: str, given: str, allowed: Iterable[str]) -> UsageError:
    """Return the error for a name that is not one of ``allowed``, close names first."""
    names = sorted(allowed)
    close = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    close = close or [name for name in names if given and name.startswith(given)][:3]
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return UsageError(f"unknown {what} {given!r}: {hint}allowed: {', '.join(names) or 'none'}")


def missing_extra(package: str, extra: str) -> UsageError:
    """Return the error for an optional dependency that is not installed."""
    return UsageError(f"{package} is not installed: run pip install 'nas[{extra}]'")
