"""Post-training quantisation: BatchNorm folded, ranges from calibration images, integers simulated in torch."""
