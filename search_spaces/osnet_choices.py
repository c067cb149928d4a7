"""What an OSNet block may be. No torch here: spaces make their knobs from it."""

INSTANCE_NORMS = ("none", "inside", "outside", "both")
"""``inside``: for the BatchNorm after the last convolution of the residual; ``outside``: after the addition."""

REDUCTION = 4
"""The width of a block is so many times that of its streams."""
