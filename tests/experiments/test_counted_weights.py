from __future__ import annotations

import torch

from experiments.counted_weights import CountedWeights
from search_spaces.block import cost
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space
from search_spaces.testing import example


def test_it_counts_training_passes_and_changes_nothing() -> None:
    found = space("ofa_mobilenet", form="small_image", num_classes=3)
    small, large = (found.blueprint(each) for each in (found.smallest(), found.largest()))
    counted, plain = CountedWeights(found, 1), SharedWeights(found, 1)
    x, y = example(small, 4, 0), example(large, 2, 0)
    assert torch.equal(counted.run(small, x), plain.run(small, x))
    with torch.no_grad():
        _, features = counted.run(large, y, "train", features=True)
    assert features.shape[0] == 2
    counted.run(small, x, "calibrate", statistics=counted.new_statistics(small))
    assert (counted.forward_backward_images, counted.forward_images) == (4, 2)
    expected = (4 * cost(small).macs + 2 * cost(large).macs) / 6e6
    assert counted.counted() == {"forward_backward_images": 4, "forward_images": 2, "mmacs_an_image": expected}
