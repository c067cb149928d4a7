"""Fine-tuning of one extracted network: a pure function of the weights, the data, the settings and the seed."""

from __future__ import annotations

import copy

import torch
from torch import nn

from nas.data.batches import prepare
from nas.data.settings import AugmentSettings
from nas.data.splits import DataSplits
from nas.training.batch import training_batch
from nas.training.losses import Outputs, make_loss
from nas.training.optimiser import learning_rate, make_optimiser
from nas.training.settings import FinetuneSettings
from search_spaces.blueprint import Blueprint
from search_spaces.building import set_progress
from search_spaces.errors import UsageError

CALIBRATION_BATCH = 256


def finetune(
    module: nn.Module,
    blueprint: Blueprint,
    data: DataSplits,
    settings: FinetuneSettings,
    augmentation: AugmentSettings,
    seed: int,
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Return a copy of ``module``, trained on the training images; with 0 epochs, a copy as it is.

    The loss is the task's own. BatchNorm trains on batch statistics; afterwards its running statistics are cumulative
    averages over the calibration images, so that evaluation does not depend on the last steps.

    Args:
        module: the plain network of ``blueprint``; it is not changed.
        blueprint: what the network is; gives the resolution.
        data: the splits; only training and calibration images are read.
        settings: of the fine-tuning.
        augmentation: of the training images.
        seed: of the order of the images and of every random change.
        device: where to train.

    Returns:
        The network in evaluation mode, on ``device``.

    Raises:
        UsageError: the batch size is larger than the training set, or the training diverged.
    """
    tuned = copy.deepcopy(module).to(device)
    if settings.epochs:
        data = data.to(device)
        _train(tuned, blueprint.resolution, data, settings, augmentation, seed)
        recalibrate(tuned, blueprint.resolution, data)
    return tuned.eval()


def finetuning_steps(settings: FinetuneSettings, num_images: int) -> int:
    """Return the optimiser's steps over ``num_images`` training images; 0 epochs are none."""
    return max(1, settings.epochs * (num_images // settings.batch_size)) if settings.epochs else 0


def _train(
    module: nn.Module,
    resolution: tuple[int, int],
    data: DataSplits,
    settings: FinetuneSettings,
    augmentation: AugmentSettings,
    seed: int,
) -> None:
    module.train()
    parameters = dict(module.named_parameters())
    optimiser = make_optimiser(parameters, settings)
    loss_of = make_loss(data.task.loss, settings.label_smoothing)
    num_steps = finetuning_steps(settings, len(data.training))
    device = data.training.labels.device
    # A block may drop units at random: it draws from torch's global generators.
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for step in range(num_steps):
            set_progress(module, step / num_steps)
            images, targets = training_batch(data, resolution, settings.batch_size, augmentation, seed, step)
            torch.autograd.backward(loss_of(Outputs(*data.task.aligned(module(images), targets))))
            torch.nn.utils.clip_grad_norm_(parameters.values(), settings.max_gradient_norm, foreach=True)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, num_steps, settings)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    if not all(bool(parameter.isfinite().all()) for parameter in parameters.values()):
        raise UsageError(
            f"fine-tuning with learning_rate {settings.learning_rate:g} diverged: weights are not finite: lower it"
        )


@torch.no_grad()
def recalibrate(module: nn.Module, resolution: tuple[int, int], data: DataSplits) -> None:
    """Set the BatchNorm running statistics of ``module`` to cumulative averages over the calibration images.

    The images pass in batches of sizes that differ by one at most, so that each image counts (nearly) the same. The
    rest of the module is in evaluation mode meanwhile and the whole afterwards.
    """
    module.eval()
    norms = [norm for norm in module.modules() if isinstance(norm, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    num_batches = -(-len(data.calibration) // CALIBRATION_BATCH)
    for images in data.calibration.images.tensor_split(num_batches) if norms else ():
        module(prepare(images, resolution, data.mean, data.std))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
