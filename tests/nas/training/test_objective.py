from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from toy_training import convolutions, images, same_state, settings, trainer, transformers

from nas.export.safetensors import ModelInfo, write_model
from nas.training.checkpoint import load_tensors, save_tensors
from nas.training.distillation import distillations
from nas.training.losses import Loss, Outputs, losses, tasks_of
from nas.training.objective import Objective
from search_spaces.building import build
from search_spaces.errors import UsageError
from search_spaces.registry import Registry
from search_spaces.spaces import space


def exported(folder, made=None, num_classes: int = 3, in_channels: int = 1):
    """Write the smallest network of a space and return the folder."""
    made = made or space(
        "ofa_mobilenet", form="small_image", resolutions=(8,), in_channels=in_channels, num_classes=num_classes
    )
    blueprint = made.blueprint(made.smallest())
    names = tuple("abcdefgh"[:num_classes])
    channels = blueprint.in_channels
    info = ModelInfo(blueprint, (0.3,) * channels, (0.2,) * channels, names)
    write_model(folder, build(blueprint, seed=5).eval(), info)
    return folder


class TestInPlace:
    def made(self, **given):
        return trainer(transformers(), sampler="sandwich", networks_per_step=3, distillation="kl", **given)

    def test_the_largest_learns_from_targets_and_the_others_from_its_outputs(self) -> None:
        made = self.made()
        batch = made._batches.of(0, 0)(0)
        blueprints = [made.shared.space.blueprint(each) for each in made.architectures(0)]
        logits = [made.shared.run(blueprint, batch.images(blueprint.resolution)) for blueprint in blueprints]
        teacher = logits[0].detach().softmax(1)
        expected = F.cross_entropy(logits[0], batch.targets, label_smoothing=0.1) / 3
        for student in logits[1:]:
            expected = expected + (teacher * (teacher.log() - student.log_softmax(1))).sum(1).mean() / 3
        total = made.accumulate(0)
        assert float(total) == pytest.approx(float(expected.detach()), rel=1e-5)
        found = {name: tensor.grad for name, tensor in made.shared.tensors.items()}
        wanted = torch.autograd.grad(expected, list(made.shared.tensors.values()), allow_unused=True)
        for (name, gradient), other in zip(found.items(), wanted, strict=True):
            assert (gradient is None) == (other is None), name
            assert gradient is None or torch.allclose(gradient, other, atol=1e-6), name

    def test_a_shared_batch_costs_the_teacher_no_further_pass(self, monkeypatch) -> None:
        assert self.passes(monkeypatch, self.made()) == [True] * 3

    @pytest.mark.parametrize("sampler", ["sorted", "multi_architecture"])
    def test_on_other_batches_the_teacher_passes_without_gradient(self, monkeypatch, sampler) -> None:
        made = trainer(transformers(), sampler=sampler, networks_per_step=2, distillation="kl")
        assert sorted(self.passes(monkeypatch, made)) == [False, True, True]

    def passes(self, monkeypatch, made) -> list[bool]:
        run, found = made.shared.run, []
        monkeypatch.setattr(
            made.shared, "run", lambda *given, **more: found.append(torch.is_grad_enabled()) or run(*given, **more)
        )
        made.accumulate(0)
        return found

    def test_the_teacher_of_a_step_is_the_network_of_most_macs(self, monkeypatch) -> None:
        made = trainer(transformers(), sampler="uniform", networks_per_step=3, distillation="kl")
        teachers: list[int] = []
        monkeypatch.setattr("nas.training.step.network_losses", lambda *given: teachers.append(given[-1]) or iter(()))
        for step in range(4):
            made.accumulate(step)
            macs = made._macs.counts(made.genes(step))[:, 1]
            assert macs[teachers[-1]] == macs.max()
        assert len(set(teachers)) > 1

    def test_one_network_a_step_has_nobody_to_learn_from(self) -> None:
        with pytest.raises(UsageError, match=r"networks_per_step got 1: with teacher 'largest' .* give 2 or more"):
            trainer(transformers(), distillation="kl", networks_per_step=1)


class TestExported:
    def test_every_network_learns_from_both(self, tmp_path) -> None:
        folder = exported(tmp_path / "model")
        given = {"sampler": "uniform", "networks_per_step": 2, "distillation": "kl", "teacher": str(folder)}
        parts = [float(trainer(transformers(), distillation_weight=w, **given).accumulate(0)) for w in (0, 0.25, 1)]
        plain = float(trainer(transformers(), sampler="uniform", networks_per_step=2).accumulate(0))
        assert parts[0] == pytest.approx(plain)
        assert parts[1] == pytest.approx(0.75 * parts[0] + 0.25 * parts[2])
        assert parts[2] != pytest.approx(parts[0])

    def test_the_teacher_sees_the_same_changed_images_in_its_own_way(self, tmp_path) -> None:
        made = trainer(transformers(), distillation="kl", teacher=str(exported(tmp_path / "model")))
        batch = made._batches.of(0, 0)(0)
        logits, features = made._objective.exported(batch)
        network = made._objective._exported._network
        raw = batch.prepared_by(lambda images: images)
        assert torch.allclose(logits, network(((raw / 255) - 0.3) / 0.2), atol=1e-6)
        assert features.ndim == 4
        assert not logits.requires_grad

    def test_other_classes_or_channels_are_refused(self, tmp_path) -> None:
        for given, message in (
            ({"num_classes": 5}, "a model of 5 classes: the data has 3: give a teacher of as many"),
            ({"in_channels": 2}, "a model of 2 channels: the data has 1: give a teacher of as many"),
        ):
            folder = exported(tmp_path / str(given), **given)
            with pytest.raises(UsageError, match=message):
                trainer(transformers(), distillation="kl", teacher=str(folder))

    def test_no_model_there(self, tmp_path) -> None:
        with pytest.raises(UsageError, match="give the folder of an exported model"):
            trainer(transformers(), distillation="kl", teacher=str(tmp_path / "none"))

    def test_a_teacher_without_distillation_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"teacher got 'x' without training.distillation: set that to one of .*kl"):
            trainer(transformers(), teacher="x")


class TestNames:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"loss": "cross_entropi"}, "unknown loss 'cross_entropi': did you mean 'cross_entropy'"),
            ({"loss_settings": {"smoothing": 1}}, "unknown setting of loss 'cross_entropy' 'smoothing'"),
            ({"distillation": "kll"}, "unknown distillation 'kll': did you mean 'kl'"),
            ({"distillation": "kl", "distillation_settings": {"temperature": 0}}, "'temperature' got 0"),
            ({"sampler_settings": {"k": 1}}, "unknown setting of .*'k'"),
        ],
    )
    def test_unknown_or_bad_ones_are_refused(self, given, message) -> None:
        with pytest.raises(UsageError, match=message):
            trainer(transformers(), **given)

    def test_the_label_smoothing_of_the_training_is_the_losses(self) -> None:
        seen = torch.tensor([[2.0, 0.0, 0.0]]), torch.zeros(1, 1, 1, 1)
        batch = trainer(transformers())._batches.few()
        batch.targets = torch.tensor([0])
        for smoothing in (0.0, 0.3):
            objective = Objective(settings(label_smoothing=smoothing), images())
            expected = F.cross_entropy(seen[0], batch.targets, label_smoothing=smoothing)
            assert torch.equal(objective.on_targets(seen, batch), expected)


class Projected(nn.Module):
    """A distillation with parameters, as wide as the widest features."""

    needs: ClassVar[frozenset[str]] = frozenset({"teacher", "features"})

    def __init__(self, **settings: object) -> None:
        super().__init__()

    def prepare(self, examples: Sequence[Outputs], seed: int) -> None:
        self.widths = [example.features.shape[1] for example in examples]
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(max(self.widths), generator=generator))

    def forward(self, outputs: Outputs) -> torch.Tensor:
        means = outputs.features.square().mean((0, 2, 3))
        return ((means * self.weight[: len(means)]).sum() - outputs.teacher_features.mean()) ** 2


@pytest.fixture
def projected(monkeypatch):
    distillations.names()
    monkeypatch.setitem(distillations._entries, "projected", Projected)


@pytest.mark.usefixtures("projected")
class TestParameters:
    def made(self):
        return trainer(convolutions(), sampler="sandwich", distillation="projected")

    def test_they_are_trained_beside_the_shared_tensors(self) -> None:
        made = self.made()
        [name] = made.parameters.keys() - made.shared.tensors.keys()
        assert name == "loss/teacher.weight"
        before = made.parameters[name].detach().clone()
        made.step(0)
        assert not torch.equal(made.parameters[name], before)
        assert name not in made.average

    def test_they_are_stored_and_loaded(self, tmp_path) -> None:
        straight, first, second = self.made(), self.made(), self.made()
        for step in range(4):
            straight.step(step)
        for step in range(2):
            first.step(step)
        save_tensors(tmp_path / "state", first.state(), {})
        second.load(load_tensors(tmp_path / "state")[0])
        for step in (2, 3):
            second.step(step)
        assert "loss/teacher.weight" in straight.state()
        assert "optimiser/exp_avg/loss/teacher.weight" in straight.state()
        assert same_state(straight, second)


def of_classification(registry: Registry[type[Loss]]) -> list[str]:
    return [name for name in registry.names() if "classification" in tasks_of(registry.get(name))]


def test_every_loss_and_distillation_trains_a_convolution_and_a_transformer(tmp_path) -> None:
    matrix = tmp_path / "confusion.csv"
    matrix.write_text("8,1,1\n1,8,1\n1,1,8\n")
    settings_of = {"confusable": {"matrix": str(matrix)}}
    for make in (convolutions, transformers):
        for given in (
            *({"loss": name, "loss_settings": settings_of.get(name, {})} for name in of_classification(losses)),
            *({"distillation": name} for name in of_classification(distillations)),
        ):
            made = trainer(make(), sampler="sandwich", networks_per_step=2, **given)
            assert np.isfinite([float(made.step(step)) for step in range(2)]).all(), given
