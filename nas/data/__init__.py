"""Image classification data: read by a source, split four ways by seed, batched and augmented on the device."""
