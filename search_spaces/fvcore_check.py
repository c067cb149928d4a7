"""The independent check of closed-form counting: fvcore's own totals, by tracing one module.

fvcore is optional, slow (0.05-0.2 s a network) and can't trace on the meta device: it checks, it never counts.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.blueprint import Blueprint
from search_spaces.building import assemble
from search_spaces.errors import missing_extra

_FUSED_ATTENTION = "aten::scaled_dot_product_attention"


def fvcore_totals(module: nn.Module, example: Tensor | tuple[Tensor, ...]) -> tuple[int, int, int]:
    """Return (params, macs, activations) that fvcore counts in ``module``, in evaluation mode, on ``example``.

    What it leaves out of fused attention, its two products, is added by handles.

    Raises:
        UsageError: fvcore is not installed.
    """
    with warnings.catch_warnings():
        # fvcore's last release is of 2022 and still uses torch.jit, which warns at import and at each trace.
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)
        try:
            from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count
        except ImportError:
            raise missing_extra("fvcore", "fvcore") from None
        macs = FlopCountAnalysis(module.eval(), (example,)).set_op_handle(_FUSED_ATTENTION, _attention_macs)
        outputs = ActivationCountAnalysis(module, (example,)).set_op_handle(_FUSED_ATTENTION, _attention_outputs)
        for analysis in (macs, outputs):
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        return parameter_count(module)[""], int(macs.total()), int(outputs.total())


def fvcore_cost(blueprint: Blueprint) -> tuple[int, int, int]:
    """Return (params, macs, activations) that fvcore counts in the network of ``blueprint``, for one image."""
    return fvcore_totals(assemble(blueprint), torch.zeros(1, blueprint.in_channels, *blueprint.resolution))


def _attention_macs(inputs: list[Any], _: list[Any]) -> int:
    """Batch x heads x (L_q x L_k x D_q + L_q x L_k x D_v)."""
    query, key, value = (each.type().sizes() for each in inputs[:3])
    return int(prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


def _attention_outputs(inputs: list[Any], _: list[Any]) -> int:
    """Batch x heads x (L_q x L_k + L_q x D_v)."""
    query, key, value = (each.type().sizes() for each in inputs[:3])
    return int(prod(query[:-1]) * (key[-2] + value[-1]))
