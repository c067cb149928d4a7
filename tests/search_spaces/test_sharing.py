from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from search_spaces import testing
from search_spaces.building import build, set_mode
from search_spaces.errors import UsageError
from search_spaces.layout import Plain, centre
from search_spaces.sharing import SharedWeights, covering_set, extents
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

# (space, settings, batch). The published forms run at their smallest sizes: the tensors are the same at every size.
FORMS = {
    "ofa_mobilenet-imagenet": ("ofa_mobilenet", {"resolutions": (128, 132)}, 1),
    "ofa_mobilenet-small_image": ("ofa_mobilenet", {"form": "small_image", "in_channels": 1, "num_classes": 10}, 2),
    "autoformer-tiny": ("autoformer", {"resolution": 64}, 1),
    "autoformer-small_image": ("autoformer", {"form": "small_image", "in_channels": 1, "num_classes": 10}, 2),
}
SLOW_FORMS = {
    "ofa_mobilenet-imagenet": ("ofa_mobilenet", {}, 2),
    "autoformer-tiny": ("autoformer", {}, 1),
    "autoformer-small": ("autoformer", {"form": "small", "resolution": 112}, 1),
    "autoformer-base": ("autoformer", {"form": "base", "resolution": 64}, 1),
}


@pytest.mark.parametrize(("name", "settings", "batch"), FORMS.values(), ids=FORMS)
def test_a_hundred_networks_give_inside_what_they_give_extracted(
    name: str, settings: dict[str, object], batch: int
) -> None:
    shared = testing.shaken(SharedWeights(space(name, **settings)), seed=0)
    testing.check_covering(shared, num=100)
    testing.check_outputs(shared, num=100, batch=batch)


@pytest.mark.parametrize(("name", "settings", "batch"), FORMS.values(), ids=FORMS)
def test_gradients_are_the_networks_own_and_zero_outside(name: str, settings: dict[str, object], batch: int) -> None:
    shared = testing.shaken(SharedWeights(space(name, **settings)), seed=0)
    testing.check_gradients(shared, num=3, batch=2 * batch)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings", "batch"), SLOW_FORMS.values(), ids=SLOW_FORMS)
def test_published_forms_at_their_own_resolutions(name: str, settings: dict[str, object], batch: int) -> None:
    testing.check_space(space(name, **settings), num=10, seed=4)


@pytest.fixture(scope="module")
def shared(toy: SearchSpace) -> SharedWeights:
    return testing.shaken(SharedWeights(toy), seed=0)


def test_the_covering_set_has_every_operator_and_the_largest_of_all_else(toy: SearchSpace) -> None:
    first, second = (architecture.values for architecture in covering_set(toy))
    assert first["block2.operator"] == "mbconv"
    assert second["block2.operator"] == "conv_stem"
    for values in (first, second):
        assert values["depth"] == 3
        assert values["block2.kernel"] == 3


def test_shared_tensors_start_as_the_largest_network_starts() -> None:
    found = space("ofa_mobilenet", form="small_image")
    tensors = SharedWeights(found, seed=3).tensors
    largest = dict(build(found.blueprint(found.largest()), seed=3).named_parameters())
    assert set(tensors) == set(largest)
    assert all(torch.equal(tensors[name], largest[name]) for name in tensors)


def test_tensors_that_have_no_common_layout_name_the_parameter(
    toy: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    num = len(list(build(toy.blueprint(covering_set(toy)[0])).parameters()))
    laid_out = iter([(Plain(8),)] * num + [(centre(8),)] * num)
    monkeypatch.setattr("search_spaces.sharing.layout_of", lambda _: next(laid_out))
    with pytest.raises(
        UsageError, match=r"parameter 'stem\.conv_stem\.conv\.weight' can't be shared: .*put what differs in"
    ):
        extents(toy)


def test_a_network_of_a_larger_space_is_not_covered() -> None:
    small = SharedWeights(space("autoformer", form="small_image", widths=(16,), depths=(1,)))
    larger = space("autoformer", form="small_image", widths=(16,), depths=(1,), heads=(5,))
    blueprint = larger.blueprint(larger.largest())
    message = (
        r"parameter 'stage1.block1.relative_transformer.attention.qkv.weight' of shape \[240, 16\] "
        r"is not covered by the shared weights: held: \[192, 16\]"
    )
    with pytest.raises(UsageError, match=message):
        small.run(blueprint, testing.example(blueprint, 2, 0))


def test_training_uses_batch_statistics_and_needs_none(shared: SharedWeights) -> None:
    blueprint = shared.space.blueprint(shared.space.largest())
    x = testing.example(blueprint, 8, 0)
    network = shared.extract(blueprint)
    set_mode(network, "train")
    assert torch.equal(shared.run(blueprint, x), network(x))


def test_calibration_averages_over_batches_and_stays_with_its_network(shared: SharedWeights) -> None:
    blueprint, other = map(shared.space.blueprint, (shared.space.largest(), shared.space.smallest()))
    statistics, others = shared.new_statistics(blueprint), shared.new_statistics(other)
    batches = [testing.example(blueprint, 8, seed) for seed in range(3)]
    with torch.no_grad():
        for batch in batches:
            shared.run(blueprint, batch, "calibrate", statistics=statistics)
        stem = "stem.conv_stem."
        maps = [torch.conv2d(x, shared.tensors[stem + "conv.weight"], stride=2, padding=1) for x in batches]
    mean = torch.stack([each.mean((0, 2, 3)) for each in maps]).mean(0)
    variance = torch.stack([each.var((0, 2, 3)) for each in maps]).mean(0)
    torch.testing.assert_close(statistics[stem + "norm.running_mean"], mean)
    torch.testing.assert_close(statistics[stem + "norm.running_var"], variance)
    assert int(statistics[stem + "norm.num_batches_tracked"]) == 3
    assert not others[stem + "norm.running_mean"].any()


def test_evaluation_changes_no_statistics(shared: SharedWeights) -> None:
    blueprint = shared.space.blueprint(shared.space.largest())
    statistics = shared.new_statistics(blueprint)
    before = {name: value.clone() for name, value in statistics.items()}
    shared.run(blueprint, testing.example(blueprint, 4, 0), "evaluate", statistics=statistics)
    assert all(torch.equal(before[name], value) for name, value in statistics.items())


def test_other_tensors_of_the_same_names_may_be_run_and_extracted(shared: SharedWeights) -> None:
    blueprint = shared.space.blueprint(shared.space.smallest())
    x, statistics = testing.example(blueprint, 4, 0), shared.new_statistics(blueprint)
    average = {name: 0.5 * tensor.detach() for name, tensor in shared.tensors.items()}
    turned = {name: value.t().contiguous().t() if value.ndim == 2 else value for name, value in average.items()}
    assert not turned["head.mobile_head.classifier.weight"].is_contiguous()
    with torch.no_grad():
        inside = shared.run(blueprint, x, "evaluate", tensors=average, statistics=statistics)
        assert torch.equal(inside, shared.extract(blueprint, average, statistics)(x))
        by_layout = shared.run(blueprint, x, "evaluate", tensors=turned, statistics=statistics)
        assert not torch.equal(inside, shared.run(blueprint, x, "evaluate", statistics=statistics))
    torch.testing.assert_close(by_layout, inside)


def test_an_extracted_network_is_a_copy(shared: SharedWeights) -> None:
    network = shared.extract(shared.space.blueprint(shared.space.largest()))
    before = {name: tensor.detach().clone() for name, tensor in shared.tensors.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(7)
    assert not network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in shared.tensors.items())


def test_a_failed_call_leaves_no_weights_behind(shared: SharedWeights) -> None:
    blueprint = shared.space.blueprint(shared.space.largest())
    with pytest.raises(RuntimeError, match="channels"):
        shared.run(blueprint, torch.zeros(2, 5, 9, 7))
    blocks = [shared._block(placed, "train") for placed in blueprint.placed()]
    assert {slot.holder[slot.attribute].device.type for block in blocks for slot in block.slots} == {"meta"}
    assert shared.run(blueprint, testing.example(blueprint, 2, 0)).isfinite().all()


def test_threads_run_networks_side_by_side(shared: SharedWeights) -> None:
    found = shared.space
    blueprints = [found.blueprint(each) for each in found.decode(found.sample(np.random.default_rng(0), 24))]

    def run(number: int) -> torch.Tensor:
        return shared.run(blueprints[number], testing.example(blueprints[number], 4, number)).detach()

    expected = [run(number) for number in range(len(blueprints))]
    with ThreadPoolExecutor(4) as pool:
        found_by_threads = list(pool.map(run, range(len(blueprints))))
    assert all(torch.equal(one, other) for one, other in zip(expected, found_by_threads, strict=True))


def test_a_tensor_that_no_network_used_has_no_gradient(shared: SharedWeights) -> None:
    blueprint = shared.space.blueprint(shared.space.smallest())
    gradients = testing._gradients(shared, [(blueprint, 0)], batch=4)
    assert "stage1.block1.mbconv.project.conv.weight" in gradients
    assert not [name for name in gradients if name.startswith(("stage1.block2", "stage1.block3"))]


def test_evaluation_without_statistics_is_an_error_that_says_what_to_do() -> None:
    found = space("ofa_mobilenet", form="small_image")
    blueprint = found.blueprint(found.smallest())
    images = torch.zeros(1, 3, *blueprint.resolution)
    with pytest.raises(UsageError, match=r"no BatchNorm statistics 'stem.*calibrate"):
        SharedWeights(found).run(blueprint, images, "evaluate")


def test_a_scheduled_block_follows_the_progress_of_training() -> None:
    settings = {"form": "small_image", "in_channels": 1, "num_classes": 10, "resolutions": (8,), "filters": (2, 4)}
    plain, dropping = (space("nasnet", **settings, drop_path=rate) for rate in (0.0, 0.6))
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def run(found: SearchSpace, progress: float) -> torch.Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            return SharedWeights(found).run(found.blueprint(found.smallest()), images, progress=progress)

    assert torch.equal(run(dropping, 0.0), run(plain, 0.0))
    assert not torch.equal(run(dropping, 0.5), run(plain, 0.5))
    assert not torch.equal(run(dropping, 1.0), run(dropping, 0.5))
