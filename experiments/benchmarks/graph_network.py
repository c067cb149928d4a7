"""A small graph network over the searched choices of a network: what published latency predictors are made of.

Nodes are the knobs in order (edges of a cell, layers of a chain), each with an embedding of its position and choice,
and one global node joined to all; each node is joined to its neighbours. Three graph convolutions (Kipf and Welling
2017) and a linear head on the global node, as BRP-NAS (NeurIPS 2020) has it, smaller.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from search_spaces.space import Genes

Array = NDArray[np.float64]
WIDTH, NUM_LAYERS, NUM_STEPS = 64, 3, 150
CHUNK_ROWS = 2048


def fit_graph_network(genes: Genes, indices: NDArray[np.intp], values: Array) -> Callable[[], Array]:
    """Return a function that predicts every row of ``genes``, fitted on the rows ``indices``.

    Args:
        genes: (n, num_knobs): knobs that vary are the nodes.
        indices: the rows that were measured.
        values: their latencies.
    """
    import torch

    torch.manual_seed(0)
    varying = genes[:, np.ptp(genes, axis=0) > 0].astype(np.int64) + 1
    num = varying.shape[1]
    # One row of the table of embeddings for each value of each knob, absence included, and one for the global node.
    ends = np.cumsum([0, *(varying.max(axis=0) + 1)])
    nodes = torch.tensor(np.column_stack([varying + ends[:-1], np.full(len(varying), ends[-1])]))
    joined = torch.eye(num + 1)
    joined[-1] = joined[:, -1] = 1.0
    joined += torch.diag(torch.ones(num), 1) + torch.diag(torch.ones(num), -1)
    degree = joined.sum(1).rsqrt()
    joined = degree[:, None] * joined * degree
    embedding = torch.nn.Embedding(int(ends[-1]) + 1, WIDTH)
    layers = torch.nn.ModuleList([torch.nn.Linear(WIDTH, WIDTH) for _ in range(NUM_LAYERS)])
    head = torch.nn.Linear(WIDTH, 1)
    centre, spread = float(values.mean()), float(values.std()) or 1.0

    def forward(rows: torch.Tensor) -> torch.Tensor:
        hidden = embedding(rows)
        for layer in layers:
            hidden = torch.relu(layer(joined @ hidden)) + hidden
        found: torch.Tensor = head(hidden[:, -1])[:, 0]
        return found

    optimiser = torch.optim.AdamW(
        [*embedding.parameters(), *layers.parameters(), *head.parameters()], lr=3e-3, weight_decay=1e-3
    )
    goal = torch.tensor((values - centre) / spread, dtype=torch.float32)
    for _ in range(NUM_STEPS):
        optimiser.zero_grad()
        error = torch.nn.functional.mse_loss(forward(nodes[indices]), goal)
        error.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    def predict() -> Array:
        with torch.inference_mode():
            found = torch.cat([forward(rows) for rows in torch.split(nodes, CHUNK_ROWS)])
        return centre + spread * np.asarray(found.double().numpy())

    return predict
