from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.features import (
    LATENCY_FEATURES,
    PRECISION_TERMS,
    STRUCTURAL_TERMS,
    latency_features,
    precision_terms,
    structural_terms,
)
from search_spaces.layers import Layer

NETWORK = [
    Layer("conv", macs=100, params=10, inputs=3, outputs=5),
    Layer("depthwise", macs=20, params=2, inputs=5, outputs=5),
    Layer("attention", macs=7, inputs=6, outputs=4),
    Layer("activation", inputs=4, outputs=4),
]


def test_the_terms_of_a_small_network():
    found = dict(zip(STRUCTURAL_TERMS, structural_terms(NETWORK), strict=True))
    assert found == {
        "num_kernels": 4,
        "num_products": 3,
        "macs": 127,
        "depthwise_macs": 20,
        "attention_macs": 7,
        "params": 12,
        "inputs": 18,
        "outputs": 18,
    }


@given(st.integers(0, 4))
def test_terms_add_over_blocks(cut):
    parts = np.array([structural_terms(NETWORK[:cut]), structural_terms(NETWORK[cut:])])
    assert parts.sum(axis=0).tolist() == list(structural_terms(NETWORK))


def test_features_of_a_population():
    structural = np.arange(16.0).reshape(2, 8)
    roofline = np.array([[1e9, 3e9], [5e9, 4e9]])
    found = latency_features(structural, roofline)
    assert found.shape == (2, len(LATENCY_FEATURES))
    assert found[:, -1].tolist() == [3.0, 5.0]
    assert (found[:, :8] == structural).all()


def test_what_layers_in_integers_do():
    quantised = [replace(layer, precision="int8") for layer in NETWORK] + NETWORK[:1]
    found = dict(zip(PRECISION_TERMS, precision_terms(quantised), strict=True))
    assert found == {"int8_layers": 2, "int8_macs": 120, "int8_depthwise_macs": 20, "int8_elements": 18}
    assert not any(precision_terms([replace(layer, precision="int8_weights") for layer in NETWORK]))
