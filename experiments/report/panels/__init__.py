"""The panels of the report, one file a panel; each registers itself in ``experiments.report.panel.PANELS``."""
