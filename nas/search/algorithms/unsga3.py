"""U-NSGA-III of pymoo over gene matrices.

Seada and Deb, "A Unified Evolutionary Optimization Procedure for Single, Multiple, and Many Objectives", 2016.
"""

from __future__ import annotations

from nas.search.algorithm import algorithms
from nas.search.algorithms.nsga2 import Nsga2, Nsga2Settings


class Unsga3Settings(Nsga2Settings):
    """Settings of U-NSGA-III: one population size throughout."""

    num_initial: int = 20
    population_size: int = 20
    max_population_size: int = 20
    num_offspring: int = 10


@algorithms.register("unsga3")
class Unsga3(Nsga2):
    """U-NSGA-III with the children of ``nsga2``: new, canonical, changed in one knob after crossover."""

    Settings = Unsga3Settings
    settings: Unsga3Settings
    kind = "unsga3"
