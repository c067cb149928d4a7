from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nas_command import nas
from tiny_study import TinyStudy, study

__all__ = ["nas", "study"]

pytest.importorskip("fastapi", reason="FastAPI is not installed: pip install 'nas[serve]'")

from service_client import TOKEN, Service, Unlimited, running

from experiments.service.access import make_access
from experiments.service.app import make_application
from experiments.service.guard import Guard
from experiments.service.token import digest
from experiments.store.store import Store


@pytest.fixture
def service(study: TinyStudy, tmp_path: Path) -> Iterator[Service]:
    copy = study.copied(tmp_path / "copy")
    with Store.open(str(copy.out / "nas.db")) as store:
        app = make_application(store, copy.out)
        guard = Guard(app, make_access("127.0.0.1", (), digest(TOKEN)))
        guard._rate = Unlimited()  # type: ignore[assignment]
        with running(guard) as client:
            yield Service(client, app, store, copy.out, store.studies()[0].id)
