"""The single-file offline report of a study: its data, its panels and the page."""
