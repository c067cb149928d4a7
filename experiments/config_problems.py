"""What is wrong with a configuration, in one line that shows the path of the key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import NoneType, UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from search_spaces.errors import UsageError, unknown

Location = Sequence[str | int]


@contextmanager
def at(path: str) -> Iterator[None]:
    """Put the path of the key before the message of a UsageError of the body."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def first_problem(error: ValidationError, model: type[BaseModel], prefix: Location = ()) -> str:
    """Return the first problem: the key's path, what was given and what is allowed.

    Args:
        error: of validating ``model``.
        model: its fields are the keys that are allowed.
        prefix: where the model stands in the configuration.
    """
    problems = error.errors(include_url=False)
    first, more = problems[0], f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    where = path_of((*prefix, *first["loc"]))
    if first["type"] == "extra_forbidden":
        allowed = _model_at(model, first["loc"][:-1]).model_fields
        return f"{where}: {unknown('key', str(first['loc'][-1]), allowed)}{more}"
    if first["type"] == "missing":
        return f"{where} is missing: give it a value{more}"
    given = "" if isinstance(first["input"], dict) else f" got {first['input']!r}"
    return f"{where}{given}: {first['msg'].removeprefix('Value error, ')}{more}"


def path_of(location: Location) -> str:
    """Return ``a.b[0].c``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """Return the model of the table at ``location`` below ``model``."""
    found: Any = model
    for part in location:
        found = get_args(found)[0] if isinstance(part, int) else found.model_fields[part].annotation
        if isinstance(found, UnionType):
            found = next(each for each in get_args(found) if each is not NoneType)
    allowed: type[BaseModel] = found
    return allowed
