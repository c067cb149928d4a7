"""RegNetX and RegNetY (Radosavovic et al. 2020, appendix tables): the name's number is MACs in hundreds of millions."""

from __future__ import annotations

from functools import partial

from search_spaces.networks import PublishedNetwork, networks
from search_spaces.spaces.regnet import Line, regnet_network

SOURCE = "arXiv 2003.13678, appendix; facebookresearch/pycls, configs/dds_baselines"
EARLY_CONVOLUTIONS = "arXiv 2106.14881, table 2; facebookresearch/pycls, RegNetY-4GF"

X = {
    "002": Line(13, 24, 36.44, 2.49, 8),
    "004": Line(22, 24, 24.48, 2.54, 16),
    "006": Line(16, 48, 36.97, 2.24, 24),
    "008": Line(16, 56, 35.73, 2.28, 16),
    "016": Line(18, 80, 34.01, 2.25, 24),
    "032": Line(25, 88, 26.31, 2.25, 48),
    "040": Line(23, 96, 38.65, 2.43, 40),
    "064": Line(17, 184, 60.83, 2.07, 56),
    "080": Line(23, 80, 49.56, 2.88, 120),
    "120": Line(19, 168, 73.36, 2.37, 112),
    "160": Line(22, 216, 55.59, 2.1, 128),
    "320": Line(23, 320, 69.86, 2.0, 168),
}
Y = {
    "002": Line(13, 24, 36.44, 2.49, 8),
    "004": Line(16, 48, 27.89, 2.09, 8),
    "006": Line(15, 48, 32.54, 2.32, 16),
    "008": Line(14, 56, 38.84, 2.4, 16),
    "016": Line(27, 48, 20.71, 2.65, 24),
    "032": Line(21, 80, 42.63, 2.66, 24),
    "040": Line(22, 96, 31.41, 2.24, 64),
    "064": Line(25, 112, 33.22, 2.27, 72),
    "080": Line(17, 192, 76.82, 2.19, 56),
    "120": Line(19, 168, 73.36, 2.37, 112),
    "160": Line(18, 200, 106.23, 2.48, 112),
    "320": Line(20, 232, 115.89, 2.53, 232),
    # The three largest are of SEER (arXiv 2103.01988, 2202.08360).
    "640": Line(20, 352, 147.48, 2.4, 328),
    "1280": Line(27, 456, 160.83, 2.52, 264),
    "2560": Line(27, 640, 230.83, 2.53, 373),
}


def _enter(name: str, line: Line, squeeze_excite: bool, side: int = 224, source: str = SOURCE) -> None:
    blueprint = partial(regnet_network, line, squeeze_excite)
    networks.register(name)(PublishedNetwork("regnet", (side, side), blueprint, source))


for _size, _line in X.items():
    _enter(f"regnetx_{_size}", _line, squeeze_excite=False)
for _size, _line in Y.items():
    _enter(f"regnety_{_size}", _line, squeeze_excite=True)
_enter("regnety_4gf_240", Line(26, 88, 30.3, 2.404, 32), True, 240, EARLY_CONVOLUTIONS)
