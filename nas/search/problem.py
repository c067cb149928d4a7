"""A search space as a vectorised pymoo ``Problem`` over gene matrices, with operators that keep rows canonical.

Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II" (2002): constrained domination enters through
``G`` (feasible before infeasible, then less violation, then Pareto rank). pymoo is imported here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.evaluator import Evaluator
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.survival import Survival
from pymoo.core.termination import NoTermination
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from nas.search.adaptive_geometry import survival_scores
from nas.search.objectives import Objective, Values, is_feasible, to_minimised, total_violation
from nas.search.pareto import non_dominated
from nas.search.population import SeenRows, change_one_knob
from search_spaces.space import Genes, SearchSpace

# Worse than any broken bound: a network that failed is no step towards the feasible ones.
_FAILED = 1e9

# Rounds of mating in which few new children turn up before chance fills the ask (pymoo's 100 takes 0.1 s an ask).
_MATING_ROUNDS = 10


class ArchitectureProblem(Problem):  # type: ignore[misc]
    """Rows in, minimised objectives and one violation out; the values come with the call (ask and tell)."""

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective]) -> None:
        super().__init__(
            n_var=len(space.knobs),
            n_obj=len(objectives),
            n_ieq_constr=1,
            xl=np.zeros(len(space.knobs)),
            xu=space.num_choices - 1,
            vtype=int,
            requires_kwargs=True,
        )
        self.space = space
        self.objectives = tuple(objectives)

    def _evaluate(self, _genes: Genes, out: dict[str, Any], *_: Any, values: Values, **__: Any) -> None:
        broken = np.minimum(total_violation(values, self.objectives), _FAILED)
        feasible = is_feasible(values, self.objectives)
        # Domination looks at F of feasible rows only, and all of those are finite.
        out["F"] = np.where(feasible[:, None], to_minimised(values, self.objectives), 0.0)
        out["G"] = np.where(feasible | (broken > 0.0), broken, _FAILED)[:, None]


class KnobCrossover(Crossover):  # type: ignore[misc]
    """One child of two parents by ``SearchSpace.crossover``."""

    def __init__(self, probability: float) -> None:
        super().__init__(n_parents=2, n_offsprings=1, prob=probability)

    def _do(
        self, problem: ArchitectureProblem, parents: Genes, *_: Any, random_state: np.random.Generator, **__: Any
    ) -> Genes:
        return problem.space.crossover(random_state, parents[0], parents[1])[None]


class KnobMutation(Mutation):  # type: ignore[misc]
    """``change_one_knob`` of every child."""

    def _do(
        self, problem: ArchitectureProblem, genes: Genes, *_: Any, random_state: np.random.Generator, **__: Any
    ) -> Genes:
        return change_one_knob(problem.space, random_state, genes)


class NewRows(DuplicateElimination):  # type: ignore[misc]
    """Keeps only children that were never asked for."""

    def __init__(self, seen: SeenRows) -> None:
        super().__init__()
        self._seen = seen

    def do(self, pop: Population, *others: Population, **_: Any) -> Population:
        """Return the members of ``pop`` that are new and not in ``others``."""
        return pop[self._seen.new(pop.get("X"), *(other.get("X") for other in others if len(other)))]


class AdaptiveGeometrySurvival(Survival):  # type: ignore[misc]
    """AGE-MOEA's survivors: by front, then by ``adaptive_geometry.survival_scores``. pymoo's own needs numba."""

    def __init__(self) -> None:
        super().__init__(filter_infeasible=True)

    def _do(self, _problem: Problem, pop: Population, *_: Any, n_survive: int, **__: Any) -> Population:
        points = pop.get("F")
        ranks = np.asarray(NonDominatedSorting().do(points, return_rank=True)[1])
        scores = survival_scores(points, ranks)
        # pymoo's tournament of NSGA-II reads these two.
        pop.set("rank", ranks)
        pop.set("crowding", scores)
        return pop[np.lexsort((-scores, ranks))[:n_survive]]


def make_evolution(kind: str, num_objectives: int, population_size: int, **operators: Any) -> Any:
    """Return pymoo's evolutionary algorithm of that kind.

    NSGA-III, U-NSGA-III (Deb and Jain 2014; Seada and Deb 2016) and C-TAEA (Li et al. 2019) follow reference
    directions, as many as the population holds.
    """
    from pymoo.algorithms.moo.ctaea import CTAEA
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.algorithms.moo.unsga3 import UNSGA3
    from pymoo.util.ref_dirs import get_reference_directions

    if kind == "nsga2":
        return NSGA2(pop_size=population_size, **operators)
    if kind == "agemoea":
        return NSGA2(pop_size=population_size, survival=AdaptiveGeometrySurvival(), **operators)
    if num_objectives == 1:
        directions = np.ones((1, 1))
    elif num_objectives == 2:
        directions = get_reference_directions("uniform", 2, n_partitions=population_size - 1)
    else:
        directions = get_reference_directions("energy", num_objectives, population_size, seed=1)
    if kind == "ctaea":
        return CTAEA(ref_dirs=directions, **operators)
    return {"nsga3": NSGA3, "unsga3": UNSGA3}[kind](ref_dirs=directions, pop_size=population_size, **operators)


class Evolution:
    """An evolution of pymoo between ``children`` and ``survive``; ``started`` once it holds parents."""

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        seen: SeenRows,
        seed: int,
        *,
        population_sizes: tuple[int, int],
        crossover_probability: float,
        kind: str = "nsga2",
    ) -> None:
        self._problem = ArchitectureProblem(space, objectives)
        self._algorithm = make_evolution(
            kind,
            len(self._problem.objectives),
            population_sizes[0],
            crossover=KnobCrossover(crossover_probability),
            mutation=KnobMutation(),
            eliminate_duplicates=NewRows(seen),
        ).setup(self._problem, termination=NoTermination(), seed=seed)
        self._population_sizes = population_sizes
        self.started = False

    def children(self, num: int) -> Genes:
        """Return up to ``num`` new rows, children of the parents; fewer when these have hardly a new child left."""
        children = self._algorithm.mating.do(
            self._problem,
            self._algorithm.pop,
            num,
            algorithm=self._algorithm,
            random_state=self._algorithm.random_state,
            n_max_iterations=_MATING_ROUNDS,
        )
        return np.array(children.get("X"), dtype=np.int16).reshape(-1, self._problem.n_var)

    def parents(self) -> Genes:
        """Return the population, (n, num_knobs)."""
        return np.array(self._algorithm.pop.get("X"), dtype=np.int16).reshape(-1, self._problem.n_var)

    def survive(self, genes: Genes, values: Values) -> None:
        """Let the rows compete with the parents; the first rows that are told become the first parents."""
        told = Population.new("X", genes)
        Evaluator().eval(self._problem, told, values=values)
        rows = Population.merge(self._algorithm.pop, told) if self.started else told
        if self._population_sizes[0] < self._population_sizes[1]:
            num_front = non_dominated(rows.get("F")[rows.get("FEAS").ravel()]).sum()
            self._algorithm.pop_size = int(np.clip(num_front, *self._population_sizes))
        self._algorithm.tell(infills=told)
        self.started = True
