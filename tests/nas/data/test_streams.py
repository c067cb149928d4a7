import pytest

from nas.data.streams import ORDER, SPLIT, stream
from search_spaces.errors import UsageError


def test_a_stream_is_a_function_of_seed_and_purpose():
    def draw(*key):
        return stream(*key).integers(0, 2**60, 4).tolist()

    assert draw(1, ORDER, 2) == draw(1, ORDER, 2)
    assert len({tuple(draw(*key)) for key in ((1, ORDER, 2), (2, ORDER, 1), (1, ORDER, 3), (1, SPLIT))}) == 4


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="seed -1: a seed is an integer of 0 or more"):
        stream(-1)
