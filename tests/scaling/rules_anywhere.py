"""The rules that fit every network: those that multiply depth, width and resolution."""

ANYWHERE = [
    *["d", "dr", "dw", "dwr", "r", "w", "wr", "dWr", "dW2r", "fast"],
    *["efficientnet", "efficientnetv2", "resnet_rs", "stunet"],
]
