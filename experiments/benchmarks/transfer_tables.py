"""Public throughput tables of whole networks, checked: one run a device, precision, layout, torch version and runtime.

A network's family is the first letters of its name, after ``tf_``, ``legacy_``, ``dm_``, ``wide_``, ``ese_``, and the
``eca`` or ``gc`` of an attention put into a known network: ``ecaresnet101d`` and ``wide_resnet50_2`` are of ``resnet``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
COLUMNS = (
    "model",
    "img_size",
    "batch_size",
    "device",
    "precision",
    "layout",
    "torch",
    "dynamo",
    "latency_ms_per_batch",
    "ms_per_sample",
    "gmacs",
    "macts",
    "params_m",
)
POSITIVE = ("img_size", "batch_size", "latency_ms_per_batch", "ms_per_sample", "params_m")
# Relative difference of ms_per_sample x batch_size and latency_ms_per_batch that rounding and jitter do not explain.
UNIT_TOLERANCE = 0.2
PREFIX = re.compile(r"^(?:(?:tf|legacy|dm|wide|ese)_)?(?:eca_?|gc_?)?(?=[a-z])")
# Kinds of operator and of layout, by what architectures that use them are called.
KINDS = {
    "attention": r"vit|deit|former|xcit|swin|beit|eva|cait|volo|pit|levit|coat|pvt|twins|nest|hiera|sam|halo|lambda"
    r"|bot",
    "mlp": r"mixer|mlp|sequencer|poolformer",
    "depthwise": r"mobile|efficientnet|mnas|ghost|fbnet|rexnet|mix|tinynet|lcnet|hardcore|edgenext|convnext|repvit"
    r"|fastvit|xception|nasnet|regnetz|efficientvit|focal|rdnet",
    "windows": r"swin|maxvit|maxxvit|coatnet|nest|twins|crossformer|focal",
    "gates": r"se|eca|gc|efficientnet|regnety|sk|resnest|nfnet|mobilenetv3",
    "groups": r"resnext|regnet|resnest",
    "convolution": r"resnet|vgg|dla|dark|hgnet|vovnet|hrnet|repvgg|densenet|dpn",
    "one resolution": r"^(?:vit_|flexivit|samvit|naflexvit|deit|beit|eva|cait|xcit|mixer|resmlp|gmlp|gmixer|convmixer"
    r"|aimv|crossvit|tnt|volo|sequencer)",
    "large kernels": r"convmixer|mixnet|convnext|hornet|replk|mambaout|edgenext|focal|inception_next|metanext",
    "concatenation": r"densenet|dpn|vovnet|hgnet|dla|hrnet|inception|csp|cs3|ghost",
}


@dataclass(frozen=True, eq=False)
class RunTable:
    """The networks of one run, in order of their keys (name and image side).

    Attributes:
        name: device/precision/layout/torch/eager or compiled. latency_ms: of one image in its batch, (n,).
        counts: logs of GMACs, mega-activations, parameters, side and batch, (n, 5).
        ratios: logs of MACs over activations, over parameters a pixel, and of activations a pixel, (n, 3).
        kinds: of operators, by name, (n, 10). num_left_out: rows without counts.
    """

    name: str
    keys: NDArray[Any]
    families: NDArray[Any]
    latency_ms: Array
    macs: Array
    counts: Array
    ratios: Array
    kinds: Array
    num_left_out: int

    def rows_of(self, keys: NDArray[Any]) -> NDArray[np.intp]:
        """Return the rows of networks that the run has."""
        return np.searchsorted(self.keys, keys)


def read_runs(folder: Path) -> dict[str, RunTable]:
    """Return the runs of ``timm/inference.parquet`` by name.

    Raises:
        UsageError: the file or a column is missing; a value is missing, zero or negative; the two columns of time
            disagree; or a network stands twice in a run. The message counts the rows and names the first.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(folder / "timm" / "inference.parquet")
    except (OSError, ValueError) as error:
        raise UsageError(f"can't read timm/inference.parquet in {folder}: {error}") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise UsageError(f"timm/inference.parquet lacks the columns {', '.join(missing)}")
    _check(table)
    runtime = table["dynamo"].map({True: "compiled", False: "eager"})
    names = runtime
    for name in ("torch", "layout", "precision", "device"):
        names = table[name].astype(str) + "/" + names
    keys = table["model"].astype(str) + "@" + table["img_size"].astype(str)
    repeats = pd.DataFrame({"run": names, "key": keys}).duplicated()
    if repeats.any():
        first = int(np.flatnonzero(repeats)[0])
        raise UsageError(
            f"timm/inference.parquet: {int(repeats.sum())} of {len(table)} rows repeat a network of their run "
            f"(row {first}: {keys[first]} of {names[first]}): keep one each"
        )
    return {str(name): _run(str(name), rows.assign(key=keys[rows.index])) for name, rows in table.groupby(names)}


def analytic_ms(table: RunTable) -> Array:
    """Return the analytic latency of an image of the networks that ``nas networks`` can build, (n,); NaN of others.

    A name without its weights' tag and without ``tf_`` names the network; automatic mixed precision is taken as fp16.
    """
    from predictors.roofline import latency_ms
    from predictors.target import target
    from search_spaces.block import network_blocks
    from search_spaces.networks import network, networks

    device, precision, _, _, runtime = table.name.split("/")
    part = {"eager": "", "compiled": ":compiled"}[runtime]
    known, found = set(networks.names()), np.full(len(table.keys), np.nan)
    for row, key in enumerate(table.keys):
        model, _, side = str(key).rpartition("@")
        name = model.split(".")[0].removeprefix("tf_")
        if name in known:
            blueprint = replace(network(name), resolution=(int(side), int(side)))
            batch = round(float(np.exp(table.counts[row, 4])))
            where = target(f"{device}:{'fp16' if precision == 'amp' else precision}:b{batch}{part}")
            found[row] = latency_ms(network_blocks(blueprint), where) / batch
    return found


def family_of(model: str) -> str:
    """Return the family of an architecture's name; see the module."""
    stem = PREFIX.sub("", model.split(".")[0].lower())
    found = re.match(r"[a-z]+", stem)
    return found.group() if found else stem


def _check(table: pd.DataFrame) -> None:
    for name in POSITIVE:
        wrong = np.flatnonzero(~(table[name].astype("float64") > 0))
        if len(wrong):
            _refuse(f"{name} is missing, zero or negative", wrong, len(table))
    product = table["ms_per_sample"] * table["batch_size"]
    wrong = np.flatnonzero((product / table["latency_ms_per_batch"] - 1).abs() > UNIT_TOLERANCE)
    if len(wrong):
        _refuse("ms_per_sample times batch_size is not latency_ms_per_batch: units are mixed", wrong, len(table))


def _refuse(what: str, rows: NDArray[np.intp], total: int) -> None:
    shown = ", ".join(map(str, rows[:5]))
    raise UsageError(f"timm/inference.parquet: {what} in {len(rows)} of {total} rows ({shown}): measure them again")


def _run(name: str, rows: pd.DataFrame) -> RunTable:
    counted = rows[(rows["gmacs"] > 0) & (rows["macts"] > 0)].sort_values("key")
    macs, acts, params, side, batch = (
        np.log(counted[column].to_numpy(np.float64))
        for column in ("gmacs", "macts", "params_m", "img_size", "batch_size")
    )
    models = counted["model"].astype(str)
    return RunTable(
        name=name,
        keys=counted["key"].to_numpy(str),
        families=np.array([family_of(model) for model in models]),
        latency_ms=counted["ms_per_sample"].to_numpy(np.float64),
        macs=np.exp(macs),
        counts=np.column_stack([macs, acts, params, side, batch]),
        ratios=np.column_stack([macs - acts, macs - params - 2 * side, acts - 2 * side]),
        kinds=np.column_stack([models.str.contains(pattern).to_numpy(np.float64) for pattern in KINDS.values()]),
        num_left_out=len(rows) - len(counted),
    )
