"""``python -m experiments`` is the ``nas`` command."""

from experiments.cli import main

main()
