from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from toy_training import convolutions, images, same_state, settings, trainer, transformers

from nas.data.batches import training_batch_indices
from nas.data.settings import AugmentSettings
from nas.training.batch import Batch
from nas.training.checkpoint import load_tensors, save_tensors
from nas.training.plan import num_steps
from nas.training.samplers import samplers
from nas.training.step import Trainer, use_bfloat16
from search_spaces.blueprint import Block, Stage
from search_spaces.errors import ConflictError, UsageError
from search_spaces.spaces.ofa_mobilenet import OfaMobileNet

SPACES = {"convolutions": convolutions, "transformers": transformers}


@pytest.fixture(params=SPACES)
def make(request):
    return SPACES[request.param]


def gradients(made: Trainer) -> dict[str, torch.Tensor]:
    """Return the gradients, and clear them."""
    found = {name: t.grad for name, t in made.shared.tensors.items() if t.grad is not None}
    for tensor in made.shared.tensors.values():
        tensor.grad = None
    return found


def separate(made: Trainer, step: int) -> list[tuple[float, dict[str, torch.Tensor]]]:
    """Return loss and gradients of each network of ``step``, each computed alone, as the step defines them."""
    architectures, found = made.architectures(step), []
    shared_as = samplers.get(made.settings.sampler).batches
    for number, architecture in enumerate(architectures):
        index = step * len(architectures) + number if shared_as == "own" else step
        chosen = training_batch_indices(len(made.data.training), made.settings.batch_size, made.seed, index)
        part = number if shared_as == "split" else 0
        mine = chosen.chunk(len(architectures))[part] if shared_as == "split" else chosen
        batch = Batch(made.data, made.data.training, mine, AugmentSettings(), (made.seed, index, part))
        blueprint = made.shared.space.blueprint(architecture)
        logits = made.shared.run(blueprint, batch.images(blueprint.resolution))
        smoothing = made.settings.label_smoothing
        loss = torch.nn.functional.cross_entropy(logits, batch.targets, label_smoothing=smoothing)
        (loss / len(architectures)).backward()
        found.append((float(loss.detach()), gradients(made)))
    return found


@pytest.mark.parametrize("sampler", samplers.names())
def test_accumulated_gradients_are_the_sum_of_the_separate_ones(make, sampler) -> None:
    """Exactly: autograd adds each network's gradient to the sum of those before it, in the order of the networks."""
    made = trainer(make(), sampler=sampler, networks_per_step=4)
    for step in (0, 3):
        mean_loss = float(made.accumulate(step))
        together = gradients(made)
        losses, alone = zip(*separate(made, step), strict=True)
        assert mean_loss == pytest.approx(sum(losses) / 4)
        total: dict[str, torch.Tensor] = {}
        for found in alone:
            for name, gradient in found.items():
                total[name] = total[name] + gradient if name in total else gradient
        assert together.keys() == total.keys()
        for name, gradient in together.items():
            assert bool(gradient.isfinite().all())
            # One pass backward through all networks may add them in another order.
            same = torch.allclose if samplers.get(sampler).batches == "split" else torch.equal
            assert same(gradient, total[name]), name


def test_gradients_outside_the_network_are_exactly_zero(make) -> None:
    made = trainer(make(), sampler="uniform", networks_per_step=1)
    places = {name: torch.arange(t.numel()).view(t.shape) for name, t in made.shared.tensors.items()}
    num_outside = 0
    for step in range(10):
        [architecture] = made.architectures(step)
        parts = made.shared.parts(made.shared.space.blueprint(architecture), places)
        made.accumulate(step)
        found = gradients(made)
        assert found.keys() == parts.keys(), "tensors that the network lacks have no gradient"
        for name, gradient in found.items():
            outside = torch.ones(gradient.numel(), dtype=torch.bool)
            outside[parts[name].flatten()] = False
            assert not gradient.flatten()[outside].any(), name
            num_outside += int(outside.sum())
        assert any(gradient.any() for gradient in found.values())
    assert num_outside > 1000


@pytest.mark.parametrize("sampler", samplers.names())
@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_saved_and_loaded_mid_way_training_ends_in_the_same_bits(tmp_path, sampler, optimiser) -> None:
    made = partial(trainer, transformers(), sampler=sampler, optimiser=optimiser)
    straight, first, second = made(), made(), made()
    losses = [straight.step(step) for step in range(6)]
    again = [first.step(step) for step in range(3)]
    save_tensors(tmp_path / "state", first.state(), {})
    first.step(3)
    second.load(load_tensors(tmp_path / "state")[0])
    again += [second.step(step) for step in range(3, 6)]
    assert torch.equal(torch.stack(losses), torch.stack(again))
    assert same_state(straight, second)
    assert not same_state(straight, first)


def test_load_forgets_what_the_trainer_did_before(make) -> None:
    made = partial(trainer, make(), networks_per_step=1)
    fresh, used = made(), made()
    start = {name: tensor.clone() for name, tensor in fresh.state().items()}
    used.step(5)
    used.load(start)
    assert same_state(fresh, used)
    fresh.step(0), used.step(0)
    assert same_state(fresh, used)


def test_load_refuses_the_state_of_another_space() -> None:
    small, other = trainer(transformers()), trainer(convolutions())
    with pytest.raises(ConflictError, match=r"parameter 'head.* the space needs .* choose another study name"):
        small.load(other.state())
    changed = {name: tensor[..., :1] for name, tensor in small.state().items() if tensor.ndim}
    with pytest.raises(ConflictError, match=r"of shape \[\d+(, \d+)*\], the space needs \["):
        small.load(changed)


@pytest.mark.parametrize("sampler", samplers.names())
def test_every_network_has_a_batch_of_its_own_or_the_same_or_a_part_of_it(monkeypatch, sampler) -> None:
    made = trainer(transformers(), sampler=sampler, networks_per_step=4)
    seen, run = [], made.shared.run

    def noted(blueprint, x, *rest, **more):
        if torch.is_grad_enabled():
            seen.append(x)
        return run(blueprint, x, *rest, **more)

    monkeypatch.setattr(made.shared, "run", noted)
    for step in range(2):
        made.accumulate(step)
    different = {tuple(x.flatten().tolist()) for x in seen}
    sizes = {"own": ([8] * 8, 8), "same": ([8] * 8, 2), "split": ([2] * 8, 8)}
    assert ([len(x) for x in seen], len(different)) == sizes[samplers.get(sampler).batches]


def test_networks_of_one_batch_see_it_at_their_own_resolution() -> None:
    made = trainer(convolutions(), sampler="sandwich", networks_per_step=2)
    largest, smallest = (made.shared.space.blueprint(each) for each in made.architectures(0))
    assert (largest.resolution, smallest.resolution) == ((12, 12), (8, 8))
    together = made.accumulate(0)
    assert bool(together.isfinite())


def test_networks_and_gradients_are_functions_of_seed_and_step(make) -> None:
    one, other = trainer(make()), trainer(make())
    for step in (4, 0, 4):
        assert one.architectures(step) == other.architectures(step)
    other.accumulate(9), gradients(other)
    assert torch.equal(one.accumulate(4), other.accumulate(4))
    assert one.architectures(0) != one.architectures(1)


class Dropping(OfaMobileNet):
    """A space whose head drops units at random."""

    def blueprint(self, architecture):
        made = super().blueprint(architecture)
        [head] = made.head.blocks
        return replace(
            made, head=Stage("head", made.head.width, (Block.of(head.kind, **dict(head.settings), dropout=0.5),))
        )


def test_units_dropped_at_random_are_a_function_of_the_step_too() -> None:
    given = {"form": "small_image", "resolutions": (8,), "in_channels": 1, "num_classes": 3}
    made = trainer(Dropping(Dropping.read_settings(given)))
    first = made.accumulate(2)
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    assert torch.equal(made.accumulate(2), first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator is left as it was"


def test_the_gradient_is_clipped_once_on_the_sum() -> None:
    made = trainer(transformers(), max_gradient_norm=1e-3, optimiser="sgd", weight_decay=0, warmup_fraction=0)
    before = {name: tensor.detach().clone() for name, tensor in made.shared.tensors.items()}
    made.step(0)
    moved = torch.cat([(made.shared.tensors[name].detach() - old).flatten() for name, old in before.items()])
    # Nesterov's first step is (1 + 0.9) times the clipped gradient times the rate.
    assert float(moved.norm()) == pytest.approx(1.9 * 1e-3 * made.settings.learning_rate, rel=1e-3)


class TestPrecision:
    def test_auto_is_float32_without_a_gpu(self) -> None:
        cpu = torch.device("cpu")
        assert [use_bfloat16(settings(precision=p), cpu) for p in ("auto", "float32", "bfloat16")] == [
            False,
            False,
            True,
        ]

    @pytest.mark.parametrize("supported", [True, False])
    def test_auto_asks_the_gpu(self, monkeypatch, supported) -> None:
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
        assert use_bfloat16(settings(), torch.device("cuda")) == supported

    def test_bfloat16_is_used_in_forward_passes_and_weights_stay_float32(self, make) -> None:
        exact, rough = trainer(make(), precision="float32"), trainer(make(), precision="bfloat16")
        one, other = exact.accumulate(0), rough.accumulate(0)
        assert other.dtype == torch.float32
        assert not torch.equal(one, other)
        assert float(one) == pytest.approx(float(other), rel=0.02)
        assert {gradient.dtype for gradient in gradients(rough).values()} == {torch.float32}


class TestNumSteps:
    def test_each_sampler_sees_as_many_images(self) -> None:
        """24 batches: one a step, or ``networks_per_step`` of them."""
        found = {name: num_steps(24, settings(sampler=name, networks_per_step=3)) for name in samplers.names()}
        assert found == {name: 8 if samplers.get(name).batches == "own" else 24 for name in found}
        assert "sorted" in found

    def test_at_least_one(self) -> None:
        assert num_steps(1, settings(networks_per_step=50)) == 1

    def test_a_batch_larger_than_the_training_set_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"batch size 64 for 48 training images"):
            trainer(transformers(), batch_size=64, data=images()).step(0)
