"""Depth: which blocks a stage goes on with when it grows.

A stage is repeated by its period: Swin's shifted and unshifted windows, CrossFormer's near and far ones, LSNet's and
SMT's two kinds of blocks take turns, and still do in a deeper stage. Blocks that only lead from one map to the next
stand once: kinds that end in ``_transition`` or ``_reduction``, variants that begin with ``mixed_`` or ``reduction_``,
and cells that ``reduces`` marks.
"""

from __future__ import annotations

from functools import lru_cache

from search_spaces.blueprint import Block, Setting

LEADING_KINDS = ("_transition", "_reduction")
LEADING_VARIANTS = ("mixed_", "reduction_")
ALTERNATING = ("shifted", "far")

Blocks = tuple[Block, ...]


def num_leading(blocks: Blocks) -> int:
    """Return how many blocks at the start of a stage only lead from one map to the next."""
    return next((number for number, block in enumerate(blocks) if not _leads(block)), len(blocks))


@lru_cache(maxsize=1 << 14)
def _leads(block: Block) -> bool:
    variant = str(block.get("variant", ""))
    return block.kind.endswith(LEADING_KINDS) or variant.startswith(LEADING_VARIANTS) or bool(block.get("reduces", 0))


def with_depth(blocks: Blocks, depth: int) -> Blocks:
    """Return ``depth`` blocks of a stage: its first ones, then its period again, without strides."""
    missing = depth - len(blocks)
    if missing <= 0:
        return blocks[:depth]
    body = blocks[num_leading(blocks) :]
    unit = body[-_period([_key(block) for block in body]) :]
    return blocks + tuple(map(_unstrided, (unit * -(-missing // len(unit)))[:missing]))


@lru_cache(maxsize=1 << 14)
def _key(block: Block) -> tuple[Setting, ...]:
    """Return what takes turns in a stage: the kind of block and its alternating switches."""
    return block.kind, *(block.get(name, False) for name in ALTERNATING)


def _period(keys: list[tuple[Setting, ...]]) -> int:
    """Return after how many blocks the stage repeats itself, its first block apart where that stands out; else all."""
    for rest in (keys, keys[1:]) if len(keys) > 2 else (keys,):
        for period in range(1, len(rest)):
            if rest[period:] == rest[:-period]:
                return period
    return len(keys)


@lru_cache(maxsize=1 << 14)
def _unstrided(block: Block) -> Block:
    return block.replace(stride=1) if int(block.get("stride", 1)) > 1 else block
