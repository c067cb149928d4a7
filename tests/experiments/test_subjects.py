import pytest
import torch

from experiments.subjects import block_subjects, kernel_subjects, network_subject
from search_spaces.block import block_layers
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_a_network_is_built_as_its_blueprint():
    blueprint = network("nb201_best_cifar10")
    subject = network_subject("nb201_best_cifar10", blueprint)
    assert (subject.kind, subject.count, subject.shape) == ("network", 1, (1, 3, 32, 32))
    assert subject.module.eval()(torch.zeros(subject.shape)).shape == (1, blueprint.num_classes)
    assert sum(layer.params for layer in subject.layers) == sum(p.numel() for p in subject.module.parameters())


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "nb201_best_cifar10"])
def test_the_distinct_blocks_are_all_blocks(name):
    blueprint = network(name)
    subjects = block_subjects(name, blueprint)
    placed = list(blueprint.placed())
    assert sum(subject.count for subject in subjects) == len(placed)
    assert len(subjects) == len({(p.kind, p.in_width, p.out_width, p.in_size, p.settings) for p in placed})
    layers = sum(subject.count * len(subject.layers) for subject in subjects)
    assert layers == sum(len(block_layers(each)) for each in placed)
    for subject in subjects:
        assert subject.kind == "block"
        subject.module.eval()(torch.zeros(subject.shape))


def test_blocks_of_one_kind_alone():
    subjects = block_subjects("m", network("mobilenetv3_small_050"), "mbconv")
    assert subjects
    assert all(subject.name.endswith(".mbconv") for subject in subjects)


def test_a_kind_that_the_network_lacks():
    with pytest.raises(UsageError, match=r"unknown block kind in m 'mbconvs': did you mean 'mbconv'"):
        block_subjects("m", network("mobilenetv3_small_050"), "mbconvs")


def test_kernels_are_modules_without_parts_and_take_a_batch():
    subjects = kernel_subjects("s", network("deit_tiny_patch16_224"))
    assert len({subject.name for subject in subjects}) == len(subjects)
    linear = [subject for subject in subjects if "Linear(in_features=192, out_features=768" in subject.name]
    assert [(subject.count, subject.shape) for subject in linear] == [(12, (1, 197, 192))]
    for subject in subjects:
        assert not list(subject.module.children())
        rows = subject.shape[0] * 2
        assert subject.module.eval()(torch.zeros(rows, *subject.shape[1:])).shape[0] == rows
