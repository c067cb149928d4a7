from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_sweep import tiny_plan

from experiments.config import STUDY_NAME
from experiments.sweep.plan import read_varied, value_text
from search_spaces.errors import UsageError


def test_every_combination_is_a_study_named_after_its_values_the_seed_changing_last(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, "seed=0,1", "training.sampler=sorted,uniform")
    assert [each.config.name for each in plan.combinations] == [
        "tiny-sampler-sorted-seed-0",
        "tiny-sampler-uniform-seed-0",
        "tiny-sampler-sorted-seed-1",
        "tiny-sampler-uniform-seed-1",
    ]
    third = plan.combinations[2]
    assert (third.config.seed, third.config.training.sampler, third.config.training.epochs) == (1, "sorted", 2)
    assert third.strategy == {"training.sampler": "sorted"}


def test_lists_and_tables_are_values_too(tmp_path: Path) -> None:
    plan = tiny_plan(
        tmp_path,
        'latency.targets=["h100:bf16:b32"],["orin:fp16:b1", "t4:fp16:b1"]',
        'search={algorithm="random",settings={}},{evaluations=9}',
        overrides=["search.settings={}"],
    )
    assert [each.config.name for each in plan.combinations] == [
        "tiny-targets-h100-bf16-b32-search-random",
        "tiny-targets-h100-bf16-b32-search-9",
        "tiny-targets-orin-fp16-b1+t4-fp16-b1-search-random",
        "tiny-targets-orin-fp16-b1+t4-fp16-b1-search-9",
    ]
    first, second, third, _ = (each.config for each in plan.combinations)
    # A table sets what it names, and leaves the rest as the file has it.
    assert (first.search.algorithm, first.search.evaluations) == ("random", 8)
    assert (second.search.algorithm, second.search.evaluations) == ("nsga2", 9)
    assert third.latency.targets == ("orin:fp16:b1", "t4:fp16:b1")


def test_settings_of_one_last_name_are_told_apart_in_the_names(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, "training.learning_rate=0.1,0.01", "finetuning.learning_rate=0.1,0.01")
    assert plan.combinations[0].config.name == "tiny-training.learning_rate-0.1-finetuning.learning_rate-0.1"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["trainin.sampler=sorted,uniform"], "unknown key 'trainin': did you mean 'training'"),
        (["training.samplr=sorted,uniform"], "unknown key 'samplr': did you mean 'sampler'"),
        (["training.sampler=sorted,unifrom"], "unknown sampler 'unifrom': did you mean 'uniform'"),
        (["seed=0,-1"], "seed got -1"),
        (["training.epochs=1,few"], "training.epochs got 'few'"),
        (["seed.first=1,2"], "seed: Input should be a valid integer"),
        (["seed=0,1,0"], "0 is there twice"),
        (["seed=0,1", "seed=2,3"], "got seed twice"),
        (["training.learning_rate=1,1.0"], "is there twice"),
        (["training={epochs=1},{batch_size=16,epochs=1}"], "gives the same study twice"),
        (['data.path="a:b","a-b"'], "gives two studies the name 'tiny-path-a-b'"),
        (["seed=0"], "give two values or more"),
        (["seed"], "write it as seed=0,1,2"),
        (["=1,2"], "write it as seed=0,1,2"),
        (["name=a,b"], "a sweep names its studies"),
        ([f"data.path={'a' * 100},b"], "characters are too many"),
        ([], "nas sweep needs --vary"),
    ],
)
def test_what_can_not_be_varied_is_one_line(tmp_path: Path, texts: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        tiny_plan(tmp_path, *texts)
    assert "\n" not in str(raised.value)


def test_values_are_read_as_toml_or_else_as_texts() -> None:
    assert read_varied(["a=3,2.5,true"]) == {"a": [3, 2.5, True]}
    assert read_varied(["a.b = sorted, 3"]) == {"a.b": ["sorted", 3]}
    assert read_varied(['a=[],["x"]']) == {"a": [[], ["x"]]}


@given(st.recursive(st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5))
def test_every_value_makes_a_part_of_a_name(value: object) -> None:
    name = f"a-{value_text(value)[:90]}"
    assert re.match(STUDY_NAME, name)
