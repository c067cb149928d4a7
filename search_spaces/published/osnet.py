"""OSNet, OSNet-IBN (Zhou et al. 2019) and OSNet-AIN (2021) at their widths, without and with the classifier."""

from __future__ import annotations

from search_spaces.blueprint import Block, Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.osnet import WIDTHS, osnet, scaled_width

PLAIN = (("none", "none"), ("none", "none"), ("none", "none"))
IBN = (("outside", "outside"), ("none", "none"), ("none", "none"))
AIN = (("inside", "inside"), ("none", "inside"), ("inside", "none"))

VARIANTS: dict[str, tuple[float, tuple[tuple[str, ...], ...]]] = {
    "osnet_x1_0": (1.0, PLAIN),
    "osnet_x0_75": (0.75, PLAIN),
    "osnet_x0_5": (0.5, PLAIN),
    "osnet_x0_25": (0.25, PLAIN),
    "osnet_ibn_x1_0": (1.0, IBN),
    "osnet_ain_x1_0": (1.0, AIN),
    "osnet_ain_x0_75": (0.75, AIN),
    "osnet_ain_x0_5": (0.5, AIN),
    "osnet_ain_x0_25": (0.25, AIN),
}
FEATURE_WIDTH = 512


def _register(name: str, feature_width: int) -> None:
    multiplier, norms = VARIANTS[name]
    stem = Block.of("osnet_stem", kernel=7, stride=4, instance_norm=norms is not PLAIN)
    blocks = [[Block.of("osnet_block", streams=4, instance_norm=norm) for norm in stage] for stage in norms]

    def blueprint(resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
        return osnet(
            blocks,
            widths=[scaled_width(width, multiplier) for width in WIDTHS],
            stem=stem,
            feature_width=feature_width,
            resolution=resolution,
            num_classes=num_classes,
            in_channels=in_channels,
        )

    full_name = name if feature_width else f"{name}_noclassifier"
    source = "Zhou et al. 2019 (arXiv 1905.00953), 2021 (arXiv 1910.06827); KaiyangZhou/deep-person-reid"
    outputs = 1000 if feature_width else FEATURE_WIDTH
    networks.register(full_name)(PublishedNetwork("osnet", (256, 128), blueprint, source, num_classes=outputs))


for _name in VARIANTS:
    for _feature_width in (0, FEATURE_WIDTH):
        _register(_name, _feature_width)
