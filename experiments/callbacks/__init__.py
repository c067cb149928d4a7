"""Loggers of other tools, one file each; ``experiments.callback`` says what a callback is."""
