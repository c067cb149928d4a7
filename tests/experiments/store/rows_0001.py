"""Rows as revision 0001 of the schema stored them, table by table; JSON columns as text."""

from __future__ import annotations

from typing import Any

# The study with id 2 was deleted: its id must never come again.
ROWS: dict[str, list[dict[str, Any]]] = {
    "studies": [
        {
            "id": number,
            "name": name,
            "settings": '{"training": {"epochs": 3}}',
            "seed": 7,
            "state": state,
            "fence": 4,
            "runner": runner,
            "host": "elsewhere" if runner else None,
            "pid": 12 if runner else None,
            "pid_started": 1.5 if runner else None,
            "heartbeat_at": 1000.0 if runner else None,
            "created_at": 900.0,
            "updated_at": 1000.0,
        }
        for number, name, state, runner in (
            (1, "ended", "done", None),
            (2, "deleted", "new", None),
            (3, "it's; 🦜", "interrupted", None),
            (4, "killed", "running", "nas"),
        )
    ],
    "architectures": [
        {"id": 1, "study_id": 1, "key": "k1", "space": "toy", "content": '{"knobs":{"depth":2}}'},
        {"id": 2, "study_id": 1, "key": "k2", "space": "toy", "content": '{"knobs":{"depth":3}}'},
    ],
    "work": [
        {
            "id": number,
            "study_id": study,
            "kind": kind,
            "key": key,
            "attempts": attempts,
            "sequence": sequence,
            "architecture_id": architecture,
            "payload": None if sequence is None else '{"accuracy": 0.5, "loss": {"$nonfinite": "nan"}}',
            "begun_at": 901.0,
            "finished_at": None if sequence is None else 902.0,
        }
        for number, study, kind, key, attempts, sequence, architecture in (
            (1, 1, "training", "to step 1", 2, 1, None),
            (2, 1, "evaluation", "k1", 3, 2, 1),
            (3, 1, "evaluation", "k2", 1, 3, 2),
            (4, 1, "evaluation", "k3", 1, None, None),
            (5, 4, "evaluation", "k1", 1, 1, None),
        )
    ],
    "measurements": [
        {
            "id": number,
            "work_id": work,
            "quantity": "validation_accuracy",
            "target": "",
            "value": value,
            "status": status,
            "unit": "%",
            "obtained": "measured",
            "spread": 0.1,
            "versions": '{"torch": "2.13"}',
        }
        for number, work, value, status in ((1, 2, 91.5, "finite"), (2, 3, None, "nan"))
    ],
    "artifacts": [
        {
            "id": 1,
            "study_id": 1,
            "name": "front.json",
            "path": "front.json",
            "sha256": "ab" * 32,
            "num_bytes": 3,
            "created_at": 903.0,
        }
    ],
}
