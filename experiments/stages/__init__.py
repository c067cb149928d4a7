"""The stages of a study, in order: latency, training, search, selection, scaling, export, report. One file each."""
