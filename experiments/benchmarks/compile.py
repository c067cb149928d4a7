"""Whether torch.compile pays for the few networks that a training meets again and again: the largest and the smallest.

Compiled is the plain network of the architecture, called with its parts of the shared tensors, so that gradients flow
into them as they do inside; timed is forward and backward, in turn with the ordinary way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from experiments.benchmarks import benchmarks


@benchmarks.register("compile")
def run(
    space: str = "ofa_mobilenet",
    form: str = "small_image",
    resolution: int = 16,
    batch: int = 64,
    pairs: int = 11,
    threads: int = 1,
    device: str = "cpu",
) -> dict[str, Any]:
    """Time a forward and backward pass eager and compiled, and say after how many passes compiling has paid.

    Args:
        space: name of a space.
        form: of it.
        resolution: height and width of the images.
        batch: images.
        pairs: timed passes of each kind.
        threads: of torch.
        device: where to run.
    """
    import torch

    from experiments.machine import machine, versions
    from search_spaces.sharing import SharedWeights
    from search_spaces.spaces import space as make_space
    from search_spaces.spaces import spaces

    torch.set_num_threads(threads)
    fields = spaces.get(space).Settings.model_fields
    sized = {"resolutions": (resolution,)} if "resolutions" in fields else {"resolution": resolution}
    made = make_space(space, form=form, in_channels=1, num_classes=10, **sized)
    shared = SharedWeights(made, 0, device)
    members = {"largest": made.largest(), "smallest": made.smallest()}
    return {
        "benchmark": "compile",
        "space": space,
        "form": form,
        "resolution": resolution,
        "batch": batch,
        "threads": threads,
        "members": {name: _member(shared, made.blueprint(each), batch, pairs) for name, each in members.items()},
        "obtained": "measured; median of passes in turn",
        "machine": machine(),
        "versions": versions(),
    }


def _member(shared: Any, blueprint: Any, batch: int, pairs: int) -> dict[str, Any]:
    import numpy as np
    import torch
    from torch.func import functional_call

    from search_spaces.building import set_mode

    device = next(iter(shared.tensors.values())).device
    generator = torch.Generator().manual_seed(0)
    shape = batch, blueprint.in_channels, *blueprint.resolution
    images = torch.randn(shape, generator=generator).to(device, memory_format=torch.channels_last)
    network = shared.extract(blueprint)
    set_mode(network, "train")
    compiled = torch.compile(lambda parts, x: functional_call(network, parts, (x,)))
    ways: dict[str, Callable[[], Any]] = {
        "eager": lambda: shared.run(blueprint, images),
        "compiled": lambda: compiled(shared.parts(blueprint, shared.tensors), images),
    }
    start = time.perf_counter()
    _pass(ways["compiled"], device)
    compile_s = time.perf_counter() - start
    _pass(ways["eager"], device)
    with torch.no_grad():
        difference = float((ways["eager"]() - ways["compiled"]()).abs().max())
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(pairs):
        for name, way in ways.items():
            found[name].append(_pass(way, device))
    eager, fast = (1e3 * float(np.median(found[name])) for name in ways)
    return {
        "eager_ms": eager,
        "compiled_ms": fast,
        "speed_up": eager / fast,
        "compile_s": compile_s,
        "passes_to_pay": None if fast >= eager else round(1e3 * compile_s / (eager - fast)),
        "largest_difference_of_outputs": difference,
    }


def _pass(way: Callable[[], Any], device: Any) -> float:
    """Return the seconds of a forward and a backward pass."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    way().square().mean().backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
