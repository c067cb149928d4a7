"""AGE-MOEA over gene matrices: NSGA-II whose survivors are chosen in the front's own geometry.

Panichella, "An adaptive evolutionary algorithm based on non-euclidean geometry for many-objective optimization", 2019.
"""

from __future__ import annotations

from nas.search.algorithm import algorithms
from nas.search.algorithms.nsga2 import Nsga2, Nsga2Settings


class AgemoeaSettings(Nsga2Settings):
    """Settings of AGE-MOEA: one population size throughout."""

    num_initial: int = 20
    population_size: int = 20
    max_population_size: int = 20
    num_offspring: int = 10


@algorithms.register("agemoea")
class Agemoea(Nsga2):
    """AGE-MOEA with the children of ``nsga2``: new, canonical, changed in one knob after crossover."""

    Settings = AgemoeaSettings
    settings: AgemoeaSettings
    kind = "agemoea"
