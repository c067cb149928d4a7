"""Neural architecture search: supernetwork, training, search, selection, export."""
