"""What a graphics card can do, as the model of single kernels reads it: data-sheet rates, and what holds them down.

Two limits stand between a data sheet's FP32 rate and what a long matrix product reaches on a card never seen:

- Power. A multiply-add costs energy that falls with the process, so a board of few watts can't hold its boost clock:
  at w times the power that the board leaves to arithmetic it runs w times slower. Memory, fans and leakage take 25 W
  first. Boards have time constants, so short kernels are held down less (``kernel_fit``). The energies are what data
  sheets of desktop cards say that are built to reach their peak (GTX 1080, Titan V, RTX 3090, RTX 4090: board power
  less 25 W over the FP32 rate), times 0.85, as a server's card runs at a lower clock and voltage: a share set on
  products of T4 and P4, the only cards here that are held down. A100's is an assumption: its board is sized for
  tensor cores.
- Shared memory. It feeds 128 bytes a clock and multiprocessor, which just feeds 128 FP32 lanes with tiles of 8 x 8
  outputs a thread, and 64 lanes twice over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from predictors.target import Target
from search_spaces.errors import UsageError

# Joules per FLOP of desktop cards by compute capability: the entry at or below a card's own holds.
ENERGY_PJ = {6.0: 17.5, 7.0: 15.1, 8.0: 9.0, 8.6: 9.1, 8.9: 5.1}
SERVER_SHARE, OTHER_POWER_W = 0.85, 25.0
POWER_SHARPNESS, LANES_SHARPNESS = 8, 4
# Chip -> compute capability, FP32 lanes a multiprocessor, board power in W of the form named by a second word.
CHIPS: dict[str, tuple[float, int, dict[str, float]]] = {
    "p4": (6.1, 128, {"": 75}),
    "p40": (6.1, 128, {"": 250}),
    "p100": (6.0, 64, {"": 250, "sxm2": 300}),
    "v100": (7.0, 64, {"": 250, "sxm2": 300}),
    "t4": (7.5, 64, {"": 70}),
    "2080ti": (7.5, 64, {"": 250}),
    "a100": (8.0, 64, {"": 250, "80gb": 300, "sxm4": 400}),
    "a30": (8.0, 64, {"": 165}),
    "a10": (8.6, 128, {"": 150}),
    "a40": (8.6, 128, {"": 300}),
    "a6000": (8.6, 128, {"": 300}),
    "3060": (8.6, 128, {"": 170}),
    "3090": (8.6, 128, {"": 350}),
    "l4": (8.9, 128, {"": 72}),
    "l40s": (8.9, 128, {"": 350}),
    "4090": (8.9, 128, {"": 450}),
    "h100": (9.0, 128, {"": 700, "pcie": 350}),
    "h200": (9.0, 128, {"": 700}),
    "gh200": (9.0, 128, {"": 700}),
    "b100": (10.0, 128, {"": 700}),
    "b200": (10.0, 128, {"": 1000}),
    "5090": (12.0, 128, {"": 575}),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One card at one precision.

    Attributes:
        flops_per_s: peak rate at the precision; bytes_per_s: memory bandwidth.
        compute_capability: the generation; cards near in it are alike.
        power_w: board power, or None when unknown: then nothing is held down.
        element_bytes: of one number.
    """

    name: str
    flops_per_s: float
    bytes_per_s: float
    num_sms: float
    l2_bytes: float
    lanes_per_sm: float
    compute_capability: float
    power_w: float | None
    element_bytes: int = 4

    @property
    def fed_flops_per_s(self) -> float:
        """The peak rate as shared memory leaves it; tensor cores are fed otherwise and keep theirs."""
        if self.element_bytes != 4:
            return self.flops_per_s
        return float(self.flops_per_s / (1 + (self.lanes_per_sm / 128) ** LANES_SHARPNESS) ** (1 / LANES_SHARPNESS))

    def power_slowdown(self, exponent: float = 1.0) -> float:
        """Return how many times slower power makes long FP32 arithmetic; 1 where the board's power is unknown."""
        if self.power_w is None or self.element_bytes != 4:
            return 1.0
        wanted = self.flops_per_s * energy_per_flop(self.compute_capability) / (self.power_w - OTHER_POWER_W)
        return float((1 + wanted ** (exponent * POWER_SHARPNESS)) ** (1 / POWER_SHARPNESS))


def energy_per_flop(compute_capability: float) -> float:
    """Return joules per FLOP of a generation's FP32 units at a server card's clock."""
    known = [value for value in ENERGY_PJ if value <= compute_capability]
    return SERVER_SHARE * ENERGY_PJ[max(known, default=min(ENERGY_PJ))] * 1e-12


def words(name: str) -> list[str]:
    """Return the lower-case words of a card's name: ``NVIDIA A100-PCIE-40GB`` -> nvidia, a100, pcie, 40gb."""
    return re.findall(r"[a-z0-9]+", name.lower().replace("2080 ti", "2080ti"))


def chip_facts(name: str) -> tuple[float, int, float]:
    """Return (compute capability, FP32 lanes a multiprocessor, board power in W) of a card's name.

    Raises:
        UsageError: no chip that is known stands in the name.
    """
    given = words(name)
    for chip in given:
        if chip in CHIPS:
            capability, lanes, power = CHIPS[chip]
            form = next((word for word in given if word in power), "")
            return capability, lanes, power[form]
    raise UsageError(
        f"card {name!r} has no chip that the kernel model knows: known are {', '.join(sorted(CHIPS))}; "
        "add its compute capability, lanes and board power to predictors/kernel_card.py"
    )


def card_of(target: Target) -> Card:
    """Return the card of a target.

    Raises:
        UsageError: the target is no NVIDIA GPU, or its chip is unknown.
    """
    device = target.device
    if device.kind != "gpu" or device.vendor.lower() != "nvidia":
        raise UsageError(
            f"target {device.name!r} is a {device.vendor} {device.kind}: the kernel model is for NVIDIA GPUs"
        )
    capability, lanes, power_w = chip_facts(f"{device.title} {device.name}")
    return Card(
        name=device.name,
        flops_per_s=device.peak_tflops(target.precision) * 1e12,
        bytes_per_s=device.memory_bandwidth_gb_s * 1e9,
        num_sms=device.num_sms,
        l2_bytes=device.l2_mib * 2**20,
        lanes_per_sm=lanes,
        compute_capability=capability,
        power_w=power_w,
        element_bytes=2 if target.precision in ("fp16", "bf16") else 4,
    )
