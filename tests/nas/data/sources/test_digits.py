import numpy as np
import pytest

from nas.data.settings import DataSettings
from nas.data.sources.digits import digits
from search_spaces.errors import UsageError


def test_digits_reach_over_the_whole_range():
    data = digits(DataSettings(), 0)
    assert data.training.images.shape == (1797, 8, 8)
    assert data.training.images.dtype == np.uint8
    assert (data.training.images.min(), data.training.images.max()) == (0, 255)
    assert len(np.unique(data.training.images)) == 17
    assert data.class_names == tuple("0123456789")
    assert data.test is None


def test_digits_take_no_path():
    with pytest.raises(UsageError, match="data source 'digits' takes no path, given 'somewhere': leave it out"):
        digits(DataSettings(path="somewhere"), 0)
