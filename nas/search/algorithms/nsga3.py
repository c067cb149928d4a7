"""NSGA-III of pymoo over gene matrices.

Deb and Jain, "An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated
Sorting Approach", 2014.
"""

from __future__ import annotations

from nas.search.algorithm import algorithms
from nas.search.algorithms.nsga2 import Nsga2, Nsga2Settings


class Nsga3Settings(Nsga2Settings):
    """Settings of NSGA-III: one population size throughout."""

    num_initial: int = 20
    population_size: int = 20
    max_population_size: int = 20
    num_offspring: int = 10


@algorithms.register("nsga3")
class Nsga3(Nsga2):
    """NSGA-III with the children of ``nsga2``: new, canonical, changed in one knob after crossover."""

    Settings = Nsga3Settings
    settings: Nsga3Settings
    kind = "nsga3"
