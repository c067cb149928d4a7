"""Any space with a head over its pyramid and images that are not square."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.fvcore_check import fvcore_cost
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import load_architecture, space, spaces
from search_spaces.testing import check_costs, check_covering, check_encoding, check_outputs, example, shaken

HEADS: dict[str, dict[str, Any]] = {
    "segmentation_head": {"decoder_width": 8},
    "sub_pixel_head": {"factor": 2, "decoder_width": 8, "hidden_width": 8},
    "counting_head": {"decoder_width": 8},
    "pem_head": {"decoder_width": [8, 12], "queries": [3, 5]},
    "embedding_head": {},
}
SHAPES = {
    "segmentation_head": (3, 1, 1),
    "pem_head": (3, 1, 1),
    "sub_pixel_head": (3, 2, 2),
    "embedding_head": (3, 0, 0),
}
NO_PYRAMID = ("crossvit", "nasnet")


def headed(name: str, head: str = "segmentation_head", **settings: Any) -> SearchSpace:
    given: dict[str, Any] = {"form": "small_image", "in_channels": 2, "num_classes": 3, **settings}
    return space(name, **given, head={"kind": head, **HEADS[head]})


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["ofa_mobilenet", "autoformer"])
def test_networks_with_any_head_keep_the_contract(name: str, head: str) -> None:
    """A convolutional and a transformer space: costs, sharing and fvcore; images of 2 channels and 2:3."""
    aspect = (2, 3) if name == "ofa_mobilenet" else None
    found = headed(name, head, aspect=aspect)
    check_encoding(found, 5)
    check_costs(found, 5)
    shared = shaken(SharedWeights(found), 0)
    check_covering(shared, 20)
    for architecture in found.decode(found.sample(np.random.default_rng(0), 2)):
        blueprint = found.blueprint(architecture)
        counted = cost(blueprint, "fvcore")
        assert (counted.params, counted.macs, counted.activations) == fvcore_cost(blueprint)
        x = example(blueprint, 2, 0)
        statistics = shared.new_statistics(blueprint)
        with torch.no_grad():
            shared.run(blueprint, x, "calibrate", statistics=statistics)
            inside = shared.run(blueprint, x, "evaluate", statistics=statistics)
            alone = shared.extract(blueprint, statistics=statistics)(x)
        assert bool(inside.isfinite().all())
        assert torch.equal(inside, alone)
        if head in SHAPES:
            channels, *times = SHAPES[head]
            sides = [side * factor for side, factor in zip(blueprint.resolution, times, strict=True) if factor]
            assert inside.shape == (2, channels, *sides)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in spaces.names() if name not in NO_PYRAMID])
def test_every_space_takes_a_head_over_its_pyramid(name: str) -> None:
    found = headed(name)
    check_costs(found, 5)
    shared = shaken(SharedWeights(found), 0)
    check_covering(shared, 50)
    blueprint = found.blueprint(found.largest())
    x = example(blueprint, 2, 0)
    with torch.no_grad():
        assert shared.run(blueprint, x).shape == (2, 3, *blueprint.resolution)


@pytest.mark.parametrize("name", NO_PYRAMID)
def test_a_space_without_a_pyramid_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"space '{name}' has no pyramid, which head 'segmentation_head' reads"):
        headed(name)


def test_a_setting_that_the_head_does_not_take_is_named() -> None:
    with pytest.raises(UsageError, match=r"segmentation_head can't take depth: .*unexpected keyword argument 'depth'"):
        space("ofa_mobilenet", form="small_image", head={"kind": "segmentation_head", "depth": 3})
    with pytest.raises(UsageError, match="unknown block 'segmentation': did you mean 'segmentation_head'"):
        space("ofa_mobilenet", form="small_image", head={"kind": "segmentation"})
    with pytest.raises(UsageError, match=r"setting 'head' got .*: give its kind and settings"):
        space("ofa_mobilenet", form="small_image", head={"decoder_width": 8})


def test_several_values_of_a_setting_of_the_head_are_searched() -> None:
    plain, found = headed("ofa_mobilenet"), headed("ofa_mobilenet", "pem_head")
    assert found.size() == 4 * plain.size()
    assert [knob.name for knob in found.knobs if knob not in plain.knobs] == ["head.decoder_width", "head.queries"]
    settings = [dict(found.blueprint(each).head.blocks[0].settings) for each in (found.smallest(), found.largest())]
    assert settings == [
        {"decoder_width": 8, "pyramid": True, "queries": 3},
        {"decoder_width": 12, "pyramid": True, "queries": 5},
    ]
    assert set(found.position_knobs()["head"]) >= {"head.decoder_width", "head.queries"}
    again, architecture = load_architecture(found.largest().to_json())
    assert again.blueprint(architecture) == found.blueprint(found.largest())


@pytest.mark.parametrize("width", [0, -8, 2.5, "8", [8, 12.5]])
@pytest.mark.parametrize("head", ["segmentation_head", "pem_head", "counting_head", "sub_pixel_head"])
def test_a_width_of_a_head_that_is_no_number_of_channels_is_named(head: str, width: object) -> None:
    with pytest.raises(UsageError, match=r"setting 'head': decoder_width got .*: allowed: 1, 2, 3, \.\.\."):
        space("ofa_mobilenet", form="small_image", head={"kind": head, "decoder_width": width})


def test_values_of_the_head_that_can_not_be_searched_are_named() -> None:
    for values, message in (
        ([8, 4], r"knob 'head.queries' got values \(8, 4\): an ordered knob lists numbers, ascending"),
        ([], r"knob 'head.queries' got values \(\): give at least one, each once"),
        ([4, 5.5], r"a pem_head got queries 5\.5: allowed: 1, 2, 3, \.\.\."),
        ([0, 4], r"a pem_head got queries 0: allowed: 1, 2, 3, \.\.\."),
    ):
        with pytest.raises(UsageError, match=message):
            space("ofa_mobilenet", form="small_image", head={"kind": "pem_head", "queries": values})
    with pytest.raises(UsageError, match=r"setting 'head' got .*: give its kind and settings"):
        space("ofa_mobilenet", form="small_image", head={"kind": ["pem_head", "segmentation_head"]})


def test_a_resolution_without_a_whole_width_is_named() -> None:
    with pytest.raises(UsageError, match="resolution 8 of aspect 3:4 has no whole width: allowed: multiples of 3"):
        space("ofa_mobilenet", form="small_image", aspect=(3, 4))


def test_aspect_alone_keeps_the_spaces_own_head() -> None:
    found = space("resnet", form="small_image", in_channels=1, num_classes=4, aspect=(2, 3))
    blueprint = found.blueprint(found.largest())
    assert blueprint.resolution == (16, 24)
    check_outputs(shaken(SharedWeights(found), 0), 2)


def test_an_architecture_of_it_is_read_with_its_head() -> None:
    found = headed("ofa_mobilenet", aspect=(2, 3))
    text = found.largest().to_json()
    again, architecture = load_architecture(text)
    assert again.blueprint(architecture) == found.blueprint(found.largest())
    assert architecture.key == found.largest().key


def test_a_space_as_it_is_has_the_keys_that_it_always_had() -> None:
    plain = space("ofa_mobilenet", form="small_image")
    assert "head" not in plain.settings.model_dump(mode="json")
    assert "aspect" not in plain.settings_json
    assert headed("ofa_mobilenet").largest().key != plain.largest().key
