"""C-TAEA of pymoo over gene matrices.

Li et al., "Two-Archive Evolutionary Algorithm for Constrained Multiobjective Optimization", 2019.
"""

from __future__ import annotations

from nas.search.algorithm import algorithms
from nas.search.algorithms.nsga2 import Nsga2, Nsga2Settings


class CtaeaSettings(Nsga2Settings):
    """Settings of C-TAEA: one population size throughout."""

    num_initial: int = 20
    population_size: int = 20
    max_population_size: int = 20
    num_offspring: int = 10


@algorithms.register("ctaea")
class Ctaea(Nsga2):
    """C-TAEA with the children of ``nsga2``: new, canonical, changed in one knob after crossover."""

    Settings = CtaeaSettings
    settings: CtaeaSettings
    kind = "ctaea"
