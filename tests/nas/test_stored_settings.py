from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, field_validator

from nas.stored_settings import completed


class Inner(BaseModel):
    size: int = 3
    names: tuple[str, ...] = ("a",)


class Outer(BaseModel):
    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None
    several: tuple[Inner, ...] = ()
    free: dict[str, Any] = {"x": 1}
    seldom: Inner = Field(Inner(), exclude_if=lambda inner: inner == Inner())
    made: list[int] = Field(default_factory=lambda: [1])

    @field_validator("*")
    @classmethod
    def _never_called(cls, value: Any) -> Any:
        raise AssertionError("a validator ran")


WHOLE = {"size": 3, "names": ["a"]}


def test_what_is_missing_gets_its_default_at_any_depth() -> None:
    found = completed({"name": "n", "inner": {"size": 4}, "maybe": {}, "several": [{}, {"size": 5}]}, Outer)
    assert found == {
        "name": "n",
        "inner": {"size": 4, "names": ["a"]},
        "maybe": WHOLE,
        "several": [WHOLE, {"size": 5, "names": ["a"]}],
        "free": {"x": 1},
        "seldom": WHOLE,
        "made": [1],
    }


def test_what_is_stored_stays_as_it_is() -> None:
    stored = {"inner": 3, "maybe": None, "several": "x", "free": {"y": 2}, "gone": True, "seldom": WHOLE, "made": []}
    assert completed(stored, Outer) == {**stored, "gone": True}
