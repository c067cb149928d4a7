from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import update

from experiments.store.models import StudyRow
from experiments.store.store import Store, Study


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def expire() -> Callable[[Study], None]:
    """Makes the heartbeat of a study old."""

    def age(study: Study) -> None:
        with study._database.write() as session:
            old = update(StudyRow).where(StudyRow.id == study.id).values(heartbeat_at=StudyRow.heartbeat_at - 1000)
            session.execute(old)

    return age


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """A context in which file permissions hold, which root does not feel."""

    @contextmanager
    def drop() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return drop
