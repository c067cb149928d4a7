"""The databases that the store is tested on."""

from __future__ import annotations

import uuid

import psycopg

BACKENDS = ["sqlite", "postgresql"]


def new_database(server: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
