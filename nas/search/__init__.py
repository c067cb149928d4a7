"""Multi-objective search over integer populations, and the choice of networks from its front."""
