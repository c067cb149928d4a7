"""One network of a study, chosen or not, in the form in which the report shows chosen ones."""

from __future__ import annotations

import json

from experiments.report.data import ChosenNetwork, Costs, Front, NamedQuantity, Quantity, ReportData
from experiments.service.catalogue import NotFound
from experiments.store.records import Records


def find_network(study: Records, report: ReportData, key: str) -> ChosenNetwork:
    """Return the network ``key`` of a study with everything that is known of it.

    Raises:
        NotFound: the study has no such network.
    """
    chosen = next((network for network in report.networks if network.key == key), None)
    if chosen is not None:
        return chosen
    content = study.architectures().get(key)
    if content is None:
        raise NotFound(f"study {study.name!r} has no network {key}: its table lists them")
    return _evaluated(study, report, key, content)


def _evaluated(study: Records, report: ReportData, key: str, content: str) -> ChosenNetwork:
    """Return a network that was evaluated and not chosen: drawn from its knobs, counted here."""
    from search_spaces.block import cost
    from search_spaces.spaces import load_architecture

    space, architecture = load_architecture(content)
    blueprint = space.blueprint(architecture)
    counted = cost(blueprint, report.counting)
    label = next((c.label for front in report.fronts for c in front.candidates if c.key == key), key[:8])
    return ChosenNetwork(
        key=key,
        label=label,
        reason="evaluated, not chosen: nas export writes its files",
        knobs=json.loads(content)["knobs"],
        blueprint=blueprint.to_dict(),
        costs=Costs(
            macs=counted.macs,
            params=counted.params,
            activations=counted.activations,
            peak_memory_bytes=counted.peak_memory_bytes,
        ),
        quantities=_once((*_measured(study, key), *_latencies(report.fronts, key))),
    )


def _measured(study: Records, key: str) -> list[NamedQuantity]:
    found = []
    for of, measurement in study.measurements():
        if of == key and measurement.value == measurement.value:
            value = Quantity(
                value=measurement.value,
                unit=measurement.unit,
                obtained=measurement.obtained,
                spread=measurement.spread,
            )
            found.append(NamedQuantity(name=measurement.quantity, quantity=value, target=measurement.target))
    return found


def _once(found: tuple[NamedQuantity, ...]) -> tuple[NamedQuantity, ...]:
    """Return the first of each quantity on a target that was obtained one way."""
    kept: dict[tuple[str, str | None, str], NamedQuantity] = {}
    for each in found:
        kept.setdefault((each.name, each.target, each.quantity.obtained), each)
    return tuple(kept.values())


def _latencies(fronts: tuple[Front, ...], key: str) -> list[NamedQuantity]:
    return [
        NamedQuantity(name="latency_ms", quantity=candidate.latency_ms, target=front.target)
        for front in fronts
        for candidate in front.candidates
        if candidate.key == key
    ]
