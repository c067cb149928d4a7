"""Numbers as people read them: significant digits, SI prefixes, spreads, intervals, durations."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10

from experiments.report.data import Quantity
from experiments.report.panel import Cell, Sources
from predictors.measurement import Obtained

THIN = "\u202f"
TIMES = "\u00d7"
MINUS = "\u2212"
SOURCES: tuple[Obtained, ...] = ("measured", "predicted", "analytic", "table")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def significant(value: float, digits: int = 4) -> str:
    """Return ``value`` to so many significant digits, never in exponent form, with grouped thousands."""
    if value == 0:
        return "0"
    # Rounding first: 9.9996 has one more digit before its point afterwards.
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - floor(log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}".replace(",", THIN)


def grouped(value: int) -> str:
    """Return all digits of an integer in groups of three."""
    return f"{value:,}".replace(",", THIN)


def scaled(value: float, unit: str = "") -> str:
    """Return a count with an SI prefix: 566170656 -> ``566.2 M``; below ten thousand all digits."""
    if abs(value) < 10_000:
        return f"{grouped(round(value))}{THIN}{unit}".rstrip(THIN)
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        # Half a unit of the fourth digit below the next prefix already rounds up to it.
        if abs(value) >= 0.99995 * 10**power:
            return f"{significant(value / 10**power)}{THIN}{prefix}{unit}"
    raise AssertionError("at least ten thousand has a prefix")


def exact_count(value: int, what: str) -> Cell:
    """Return a count to four digits, with all of them as its tooltip."""
    return Cell(scaled(value), title=f"{grouped(value)} {what}")


def byte_count(value: float) -> str:
    """Return bytes with a decimal prefix (1 MB = 1,000,000 bytes)."""
    return scaled(value, "B")


def duration(seconds: float) -> str:
    """Return seconds as ``4 min 12 s``; below ten seconds with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f}{THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return " ".join(f"{number}{THIN}{unit}" for number, unit in parts if number)


def power_of_ten(value: int) -> str:
    """Return a large integer as ``2.18 × 10¹⁹``; below a million all digits."""
    if value < 1_000_000:
        return grouped(value)
    digits = str(value)
    exponent = len(digits) - 1
    mantissa = f"{int(digits[:6]) / 10**5:.2f}"
    if mantissa == "10.00":
        mantissa, exponent = "1.00", exponent + 1
    return f"{mantissa} {TIMES} 10{str(exponent).translate(_SUPERSCRIPTS)}"


def _in_unit(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.2f}"
    return significant(value, 3)


def quantity_text(quantity: Quantity) -> str:
    """Return the value with its unit."""
    if quantity.unit == "bytes":
        return byte_count(quantity.value)
    if quantity.unit == "count":
        return scaled(quantity.value)
    return f"{_in_unit(quantity.value, quantity.unit)}{THIN}{quantity.unit}".rstrip(THIN)


def spread_text(quantity: Quantity) -> str:
    """Return spread, interval and number of samples, as far as they are known."""
    parts = []
    if quantity.spread is not None:
        digits = f"{quantity.spread:.2f}" if quantity.unit == "%" else significant(quantity.spread, 2)
        parts.append(f"±{THIN}{digits}")
    if quantity.lower is not None and quantity.upper is not None:
        parts.append(f"[{_in_unit(quantity.lower, quantity.unit)}, {_in_unit(quantity.upper, quantity.unit)}]")
    if quantity.n is not None:
        parts.append(f"n = {grouped(quantity.n)}")
    return " · ".join(parts)


def quantity_cell(quantity: Quantity) -> Cell:
    """Return the value with its spread below and its badge beside it."""
    title = f"{quantity.value!r} {quantity.unit}"
    return Cell(quantity_text(quantity), spread_text(quantity), title, (quantity.obtained,))


def factor(value: float) -> str:
    """Return a growth factor as ``x1.92`` (with a multiplication sign)."""
    return f"{TIMES}{value:.3g}"


def sources(quantities: Iterable[Quantity]) -> Sources:
    """Return how some quantities were obtained, each once, in the order of the legend."""
    found = {quantity.obtained for quantity in quantities}
    return tuple(source for source in SOURCES if source in found)
