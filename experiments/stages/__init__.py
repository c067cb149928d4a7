"""The stages of a study, in order: training, latency, search, selection, scaling, export, report. One file each."""
