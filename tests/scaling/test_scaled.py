from scaling.scaled import achieved
from search_spaces.layers import Cost


def test_achieved_growth_is_the_ratio_of_each_count() -> None:
    growth = achieved(Cost(100, 1000, 50, 7), Cost(150, 3990, 100, 9))
    assert (growth.macs, growth.params, growth.activations) == (3.99, 1.5, 2.0)
