"""Networks that a search begins with: fronts of earlier studies, of other targets, and networks made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.front_file import front_rows
from search_spaces.architecture import Architecture
from search_spaces.errors import UsageError
from search_spaces.space import Genes, SearchSpace

KIND = "start"
NUM_NAMED = 5


def start_networks(context: Context) -> Genes | None:
    """Return the rows that ``search.start`` gives, distinct, in its order; None where it gives none.

    What the files hold is stored when they are first read: a study goes on as it began, whatever becomes of them.

    Raises:
        UsageError: a file can't be read, or holds a network that the study's space lacks.
    """
    paths = context.config.search.start
    if not paths:
        return None
    if KIND not in context.study.done(KIND):
        context.study.begin(KIND, KIND)
        found = [row for path in paths for row in read_networks(context.space, Path(path))]
        context.study.finish(KIND, KIND, {"networks": [[name, dict(each.choices)] for name, each in found]})
    stored = context.study.done(KIND)[KIND]["networks"]
    given = [(name, context.space.architecture(knobs)) for name, knobs in stored]
    kept, again = distinct_networks(given)
    if again:
        named = "; ".join(again[:NUM_NAMED]) + ("; ..." if len(again) > NUM_NAMED else "")
        context.talk.warn(f"search.start: {len(again)} of {len(given)} networks come again, each counts once: {named}")
    budget = context.config.search.evaluations
    if len(kept) >= budget:
        context.talk.warn(
            f"search.start gives {len(kept)} networks and search.evaluations is {budget}: the first {budget} are "
            "evaluated and nothing is searched: raise search.evaluations"
        )
    return np.asarray(context.space.encode(kept))


def read_networks(space: SearchSpace, path: Path) -> list[tuple[str, Architecture]]:
    """Return (where it stands, network) of a file: an architecture, a list of them, or a study's front.json.

    A front.json gives every network of the fronts of all its targets, each once.

    Raises:
        UsageError: the file can't be read, or a network is not one of ``space``; file and network are named.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"search.start: can't read {path} ({reason}): give a front.json or architectures") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"search.start: {path} is not JSON ({error}): give a front.json or architectures") from None
    try:
        rows = _rows(content)
    except (KeyError, TypeError, AttributeError):
        raise UsageError(
            f"search.start: {path} holds no networks: give a study's front.json, an architecture "
            '{"space": NAME, "knobs": {...}}, or a list of these'
        ) from None
    found = []
    for name, family, knobs in rows:
        where = f"{path.name} {name}".strip()
        if family != space.name:
            raise UsageError(f"search.start: {where} is of space {family!r}, not {space.name!r}: leave it out")
        try:
            found.append((where, space.architecture(knobs)))
        except UsageError as error:
            raise UsageError(f"search.start: {where}: {error}") from None
    return found


def _rows(content: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (name, space, knobs) of each network."""
    if isinstance(content, list):
        return [(f"[{place}]", each["space"], dict(each["knobs"])) for place, each in enumerate(content)]
    if "fronts" not in content:
        return [("", content["space"], dict(content["knobs"]))]
    return [(row["label"], content["space"]["name"], dict(row["knobs"])) for row in front_rows(content)]


def distinct_networks(given: list[tuple[str, Architecture]]) -> tuple[list[Architecture], list[str]]:
    """Return the networks, each once, and a line for each that comes again."""
    first: dict[Architecture, str] = {}
    again = []
    for where, network in given:
        if network in first:
            again.append(f"{where} is {first[network]} again ({network.key})")
        first.setdefault(network, where)
    return list(first), again
