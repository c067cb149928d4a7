"""A space and data of one's own in one file, sounds as spectrograms: ``nas run`` on the ``.toml`` beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.data.settings import DataSettings
from nas.data.source import SOURCES, LabelledImages, SourceData, refuse
from search_spaces.from_module import module_space

WORDS = ("rising", "falling", "steady", "warbling")
NUM_SOUNDS, SAMPLE_RATE_HZ = 800, 4096
FRAME, HOP, NUM_BINS, NUM_FRAMES = 256, 128, 32, 31


class TimeFrequencyBlock(nn.Module):
    """Depthwise over frequency, then over time, then across channels, with a residual sum; (N, C, F, T) -> the same."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.frequency = nn.Conv2d(width, width, (3, 1), padding=(1, 0), groups=width)
        self.time = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + nn.functional.silu(self.norm(self.mix(self.time(self.frequency(x)))))


class KeywordNet(nn.Module):
    """Spectrograms (N, 1, F, T) -> logits (N, num_classes)."""

    def __init__(self, in_channels: int, num_classes: int, width: int, depth: int, kernel: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(TimeFrequencyBlock(width, kernel) for _ in range(depth))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.classifier(self.pool(x).flatten(1))
        return logits


module_space(
    "keyword_spotting",
    KeywordNet,
    knobs={"width": (8, 12, 16, 24), "depth": (1, 2, 3, 4), "kernel": (3, 5, 7, 9)},
    resolution=(NUM_BINS, NUM_FRAMES),
)


def spectrogram(word: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the magnitudes (F, T) in 0..1, logarithmic, of one noisy second of a tone whose pitch moves."""
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    low, high = rng.uniform(100, 200), rng.uniform(300, 450)
    swing = np.sin(2 * np.pi * rng.uniform(3, 6) * time) / 2 + 0.5
    pitch_hz = low + (high - low) * (time, 1 - time, np.full_like(time, rng.random()), swing)[word]
    sound = np.sin(2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ) + rng.normal(0, 1.5, len(time))
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP] * np.hanning(FRAME)
    loudness: NDArray[np.float64] = np.log1p(np.abs(np.fft.rfft(frames))[:, :NUM_BINS]).T
    return np.asarray(loudness / loudness.max())


@SOURCES.register("synthetic_sounds")
def synthetic_sounds(settings: DataSettings, seed: int) -> SourceData:
    """Return spectrograms of as many sounds of each word."""
    refuse(settings, ["path", "size", "skip_undecodable"])
    rng, labels = np.random.default_rng(seed), np.arange(NUM_SOUNDS) % len(WORDS)
    sounds = np.stack([spectrogram(word, rng) for word in labels.tolist()])
    return SourceData(LabelledImages(sounds, labels, "synthetic sounds"), class_names=WORDS)
