"""Distillation: losses on the outputs of a teacher. One file each, of the protocol ``nas.training.losses.Loss``."""

from __future__ import annotations

from nas.training.losses import Loss
from search_spaces.registry import Registry

distillations: Registry[type[Loss]] = Registry("distillation", "nas.training.distillation")
"""Losses that need a teacher. Each ``needs`` "teacher"."""
