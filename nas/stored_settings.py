"""Settings that an earlier version stored, completed by the keys that have come since: then equal ones are equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import to_jsonable_python


def completed(stored: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return ``stored`` with the default of every key of ``model`` that it lacks, also in the tables inside.

    Nothing is validated, and no validator runs: settings may name files of code.

    Args:
        stored: plain JSON data, as ``model_dump`` gave it once; what is of another form stays as it is.
        model: of the settings now.
    """
    found = dict(stored)
    for name, field in model.model_fields.items():
        if name not in found and not field.is_required():
            found[name] = to_jsonable_python(field.get_default(call_default_factory=True, validated_data={}))
        inner = _model_of(field.annotation)
        if inner is not None and name in found:
            found[name] = _completed_inside(found[name], inner)
    return found


def _completed_inside(value: Any, model: type[BaseModel]) -> Any:
    if isinstance(value, Mapping):
        return completed(value, model)
    return [_completed_inside(each, model) for each in value] if isinstance(value, list) else value


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a field that holds one, None or one, or a tuple of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for found in map(_model_of, get_args(annotation)) if found is not None), None)
