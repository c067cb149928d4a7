"""What a runner does with a study of the queue: its settings say whether it trains, or looks up a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.callback import Run, make_callbacks, telling
from experiments.config import StudyConfig, make_config, override, read_toml
from experiments.store.store import Budget, Store, Study
from experiments.tabular_study import TabularConfig, make_tabular_config, run_tabular
from experiments.talk import Talk
from nas.stored_settings import completed

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_LIMIT = Budget()
JobConfig = StudyConfig | TabularConfig


def read_job(path: Path, overrides: Sequence[str] = ()) -> JobConfig:
    """Return the configuration of a TOML file with ``a.b=c`` overrides; one with a ``[table]`` is tabular.

    Raises:
        UsageError: as ``experiments.config.read_config``.
    """
    return make_job(read_toml(path, overrides), str(path))


def make_job(content: Mapping[str, Any], source: str, overrides: Sequence[str] = ()) -> JobConfig:
    """Return the configuration of plain data, as a template or a stored study has it; ``source`` names it in messages.

    ``plugins`` in it are Python files that are run at once: content of other people must not have them.
    """
    content = override(dict(content), overrides)
    return make_tabular_config(content, source) if "table" in content else make_config(content, source)


def submit_job(
    store: Store,
    config: JobConfig,
    *,
    priority: int = 0,
    budget: Budget = NO_LIMIT,
    tags: Iterable[str] = (),
    note: str = "",
) -> Study:
    """Put the study of a configuration into the queue; raises as ``Queue.submit``."""
    settings = config.model_dump(mode="json")
    return store.queue.submit(
        config.name,
        settings,
        seed=config.seed,
        complete=lambda stored: completed(stored, type(config)),
        priority=priority,
        budget=budget,
        tags=tags,
        note=note,
    )


def run_job(study: Study, out: Path, talk: Talk, runner: str, callbacks: Sequence[str] = ()) -> None:
    """Run, or go on with, a study that is taken or free, from its stored settings; its files go to ``out/NAME``.

    Args:
        study: any.
        out: the folder of all studies.
        talk: what a person is told.
        runner: a name for this process.
        callbacks: names of loggers that are told of every finished piece of work (``experiments.callback``).

    Raises:
        UsageError: its settings are of no configuration: another command made it.
        NasError: as its stages raise.
    """
    with study.held(runner):
        config = make_job(study.settings, f"study {study.name!r}")
        made = make_callbacks(callbacks, Run(study.name, out / study.name, study.settings), talk)
        with telling(study, made, talk):
            if isinstance(config, TabularConfig):
                run_tabular(config, study, out, talk)
            else:
                # Late: it loads torch.
                from experiments.run import run_taken

                run_taken(config, study, out, talk)
