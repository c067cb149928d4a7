"""FBNet's space: its size, HW-NAS-Bench's numbering, the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.population import PopulationCost
from search_spaces.spaces import space
from search_spaces.spaces.fbnet import CHOICES, FORMS, Fbnet, fbnet

TABLE = Path(__file__).parents[3].parent / "shared" / "data" / "fbnet" / "architectures.parquet"


def test_the_size_is_the_papers() -> None:
    """9 choices for each of 22 layers, about 10^21 networks (Wu et al. 2019)."""
    assert space("fbnet").size() == 9**22


def test_every_network_of_the_published_latency_tables() -> None:
    if not TABLE.exists():
        pytest.skip("shared/data/fbnet/architectures.parquet is not beside the repository")
    import pandas as pd

    table = pd.read_parquet(TABLE)
    found = space("fbnet", form="cifar", num_classes=100)
    columns = [f"op_{layer}" for layer in range(22)]
    genes = np.concatenate([np.zeros((len(table), 2)), table[columns]], axis=1).astype(np.int16)
    counts = PopulationCost(found).counts(genes)
    row = int(counts[:, 1].argmax())
    architecture = found.decode(genes[row : row + 1])[0]
    assert [value for _, value in architecture.choices][2:] == table["arch_str"][row].split(",")
    alone = cost(found.blueprint(architecture))
    assert counts[row].tolist() == [alone.params, alone.macs, alone.activations]
    assert len(np.unique(genes, axis=0)) == len(table) == 5_000


def test_the_small_form_is_quick() -> None:
    found = space("fbnet", form="small_image")
    assert isinstance(found, Fbnet)
    values = {**found.largest().values, **{f"{name}.operator": "k5_e6" for name in found.layer_names}}
    assert cost(found.blueprint(found.architecture(values))).macs < 2_000_000


def test_small_images_may_be_large() -> None:
    found = space("fbnet", form="small_image", resolutions=(64,))
    assert found.blueprint(found.largest()).resolution == (64, 64)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (["skip"], "fbnet got 1 choices: give one for each of the 22 layers"),
        (22 * ["k3_e4"], "unknown operator of fbnet 'k3_e4': did you mean"),
    ],
)
def test_choices_that_are_not_allowed(choices: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fbnet(FORMS["imagenet"], choices, resolution=(224, 224), num_classes=1000, in_channels=3)


def test_the_numbering_is_hw_nas_benchs() -> None:
    assert CHOICES == ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")


def test_an_unknown_form_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"setting 'form' got 'cifar10': .*'imagenet', 'cifar' or 'small_image'"):
        space("fbnet", form="cifar10")
