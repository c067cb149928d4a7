"""``nas sweep``: one study for each combination of values of some settings, seeds among them."""
