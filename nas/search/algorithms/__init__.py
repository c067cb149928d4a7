"""Search algorithms: one file each, registered in ``nas.search.algorithm.algorithms``."""
