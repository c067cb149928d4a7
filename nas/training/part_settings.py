"""Settings of a part that is chosen by name (a sampler, a loss): checked by its own model, errors name the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from search_spaces.errors import UsageError, unknown

S = TypeVar("S", bound="PartSettings")


class PartSettings(BaseModel):
    """Base of the settings of one part: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def read_settings(part: str, model: type[S], given: Mapping[str, object]) -> S:
    """Return ``given`` as a ``model``; ``part`` is how errors call the part ("sampler 'shiftnas'").

    Raises:
        UsageError: a key is unknown, or a value is not allowed; the message names it.
    """
    for key in given:
        if key not in model.model_fields:
            raise unknown(f"setting of {part}", key, model.model_fields)
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "settings"
        raise UsageError(f"{part}, setting {where!r} got {first['input']!r}: {first['msg']}") from None
