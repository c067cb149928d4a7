"""The names of the normalisation slot. No torch here: spaces make knobs of them."""

NORM_NAMES = ("bn", "ibn", "gn", "ln", "in")
GROUP_WIDTH = 8
