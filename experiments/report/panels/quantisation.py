"""The precisions of the chosen networks, block by block, and layer by layer where those of a block differ."""

from __future__ import annotations

from experiments.report.data import ChosenNetwork, ReportData
from experiments.report.formats import byte_count
from experiments.report.panel import PANELS, Bar, Bars, Card, Panel
from search_spaces.block import network_layers
from search_spaces.precision import is_quantised, policy_of, precision, size_bytes

FLOAT_BITS = 32


@PANELS.register("quantisation")
def quantisation(data: ReportData) -> Panel | None:
    """Return the panel: a chart of bits for each network that is quantised."""
    networks = [network for network in data.networks if is_quantised(network.read_blueprint())]
    if not networks:
        return None
    lead = (
        "Bits of each weight, block by block from stem to head, and layer by layer where convolutions and linear maps "
        "of a block differ: int8 computes in integers, int8_weights and int4_weights store weights alone so, bf16 "
        "rounds both."
    )
    return Panel("quantisation", "Precisions", "Precisions", 75, [_card(network) for network in networks], lead)


def _card(network: ChosenNetwork) -> Card:
    blueprint = network.read_blueprint()
    bars = []
    for where, name in policy_of(blueprint).items():
        found = precision(name)
        text = f"{name}: weights {found.weight_bits}, activations {found.activation_bits} bits"
        bars.append(Bar(where, text, found.weight_bits / FLOAT_BITS))
    caption = f"{byte_count(size_bytes(network_layers(blueprint)))} of constants in the ONNX file"
    return Card(network.label, [Bars(bars, caption, ("analytic",))], tag=network.key)
