from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.roofline import (
    BANDWIDTH_UTILISATION,
    BYTES,
    KERNEL_FLOOR_US,
    UTILISATION,
    analytic_latency,
    combine_terms,
    latency_ms,
    layer_ms,
    roofline_terms,
)
from predictors.target import target
from search_spaces.layers import Layer

CPU = target("t4").device.model_copy(update={"name": "cpu", "kind": "cpu"})
GPU_TARGETS = ("h100:bf16:b32", "t4", "orin:fp16:b8", "rtx4090:tf32:b7", "a100-40g:bf16:b4:compiled")

layers = st.builds(
    Layer,
    op=st.sampled_from(["conv", "depthwise", "linear", "attention", "batch_norm", "activation", "add"]),
    macs=st.integers(0, 10**10),
    params=st.integers(0, 10**8),
    inputs=st.integers(1, 10**8),
    outputs=st.integers(1, 10**8),
)


def test_a_layer_of_much_arithmetic_is_bound_by_the_peak():
    # 108 multiprocessors x 4096 outputs fill the A100 in one wave.
    layer = Layer("conv", macs=10**11, outputs=108 * 4096)
    expected_ms = 2e11 / (UTILISATION["conv"] * 312e12) * 1e3 + KERNEL_FLOOR_US / 1e3
    assert layer_ms(layer, target("a100-80g:fp16")) == pytest.approx(expected_ms, rel=1e-12)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16", "bf16"])
def test_a_layer_without_arithmetic_is_bound_by_its_bytes(precision):
    layer = Layer("add", params=5, inputs=2 * 10**6, outputs=10**6)
    num_bytes = BYTES[precision] * (3 * 10**6 * 8 + 5)
    expected_ms = num_bytes / (BANDWIDTH_UTILISATION * 3350e9) * 1e3 + KERNEL_FLOOR_US / 1e3
    assert layer_ms(layer, target(f"h100:{precision}:b8")) == pytest.approx(expected_ms, rel=1e-12)


def test_weights_are_read_once_a_batch():
    layer = Layer("linear", macs=10**7, params=10**7, inputs=10, outputs=10)
    assert layer_ms(layer, target("h100:b2")) < 1.01 * layer_ms(layer, target("h100:b1"))


def test_depthwise_convolutions_use_no_tensor_cores():
    layer = Layer("depthwise", macs=10**12, outputs=10**6)
    assert layer_ms(layer, target("h100:bf16")) == layer_ms(layer, target("h100:fp32"))


@pytest.mark.parametrize(
    ("share_of_a_wave", "slower"), [(1, 1), (0.5, 2), (0.25, 4), (0.1, 5), (0.001, 5), (1.5, 4 / 3)]
)
def test_waves_that_are_not_full_leave_multiprocessors_idle(share_of_a_wave, slower):
    gpu = target("t4")
    num_outputs = 4096 * 40 * share_of_a_wave
    full, partial = (Layer("conv", macs=10**12, outputs=round(num)) for num in (4096 * 40, num_outputs))
    assert layer_ms(partial, gpu) == pytest.approx(slower * layer_ms(full, gpu), rel=0.01)


def test_within_a_wave_a_larger_batch_costs_nothing():
    layer = Layer("conv", macs=10**10, outputs=4096 * 20)
    assert layer_ms(layer, target("t4:b2")) == pytest.approx(layer_ms(layer, target("t4:b1")), rel=1e-9)


def test_a_small_network_is_bound_by_its_launches():
    network = [Layer("activation", inputs=10, outputs=10)] * 40
    gpu = target("orin")
    assert latency_ms([network], gpu) == pytest.approx(40 * gpu.device.launch_overhead_us / 1e3)


def test_on_a_cpu_launches_add_to_the_work():
    layer = Layer("conv", macs=10**9, outputs=10**6)
    cpu = target("cpu", cpu=CPU)
    expected_ms = CPU.launch_overhead_us / 1e3 + layer_ms(layer, cpu)
    assert latency_ms([[layer]], cpu) == pytest.approx(expected_ms, rel=1e-9)


def test_an_operation_of_ones_own_counts_as_linear():
    shape = {"macs": 10**10, "inputs": 10, "outputs": 10**6}
    gpu = target("l4")
    assert layer_ms(Layer("fourier", **shape), gpu) == layer_ms(Layer("linear", **shape), gpu)


@given(st.lists(layers, min_size=1, max_size=12), st.sampled_from(GPU_TARGETS), st.data())
def test_tables_of_blocks_give_the_same_bits_as_the_network(network, text, data):
    gpu = target(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(network)), max_size=3)))
    blocks = [network[a:b] for a, b in zip([0, *cuts], [*cuts, len(network)], strict=True)]
    order = data.draw(st.permutations(blocks))
    sums = np.zeros((1, 2))
    for block in order:
        sums += np.array(roofline_terms(block, gpu))
    assert combine_terms(sums)[0] == latency_ms(blocks, gpu)


@given(st.lists(layers, min_size=1, max_size=5), st.sampled_from(GPU_TARGETS))
def test_more_work_never_takes_less_time(network, text):
    gpu = target(text)
    assert latency_ms([network + network[:1]], gpu) >= latency_ms([network], gpu) > 0
    more = gpu.model_copy(update={"batch_size": gpu.batch_size + 1})
    assert latency_ms([network], more) >= latency_ms([network], gpu)


CONV = Layer("conv", macs=10**8, params=1000, inputs=10**5, outputs=10**5)
NORM, ACTIVATION = (Layer(op, inputs=10**5, outputs=10**5) for op in ("batch_norm", "activation"))
ADD = Layer("add", inputs=2 * 10**5, outputs=10**5)


@pytest.mark.parametrize("runtime", ["onnxruntime", "tensorrt"])
def test_a_runtime_that_fuses_pays_for_products_alone(runtime):
    network, fused = [CONV, NORM, ACTIVATION], target(f"t4:{runtime}")
    assert latency_ms([network], fused) == latency_ms([[CONV]], fused) == latency_ms([[CONV]], target("t4"))
    assert latency_ms([network], target("t4")) > latency_ms([network], fused)


def test_a_compiled_network_pays_once_for_element_wise_layers_that_follow_each_other():
    compiled = target("t4:b8:compiled")
    one, run = roofline_terms([CONV, NORM], compiled), roofline_terms([CONV, NORM, ACTIVATION, ACTIVATION], compiled)
    assert one == run
    assert roofline_terms([CONV, NORM], compiled) == roofline_terms([CONV, NORM], target("t4:b8"))
    host, device = roofline_terms([CONV, NORM, ADD], compiled)
    assert host == one[0]
    operand_ms = 8 * 10**5 * 4 / (BANDWIDTH_UTILISATION * compiled.device.memory_bandwidth_gb_s * 1e6)
    assert device - one[1] == pytest.approx(operand_ms * 1e9)


def test_blocks_are_not_fused_with_each_other():
    compiled = target("t4:compiled")
    apart, together = (
        latency_ms([[CONV, NORM], [ACTIVATION]], compiled),
        latency_ms([[CONV, NORM, ACTIVATION]], compiled),
    )
    assert apart > together


def test_what_all_images_share_is_read_once_a_batch():
    table = Layer("copy", inputs=10**6, outputs=10**6, shared=2 * 10**6)
    own = replace(table, shared=0)
    gpu = target("t4:b16")
    assert layer_ms(table, gpu) < layer_ms(own, gpu)
    assert layer_ms(table, target("t4")) == layer_ms(own, target("t4")) == layer_ms(table, gpu)


def test_a_population_is_combined_row_by_row():
    assert combine_terms(np.array([[1e9, 2e9], [4e9, 3e9]])).tolist() == [2.0, 4.0]


def test_the_measurement_is_labelled_analytic():
    network = [Layer("linear", macs=10**9, params=10**6, inputs=10**3, outputs=10**3)]
    found = analytic_latency([network], target("t4:fp16:b8"))
    assert (found.quantity, found.unit, found.obtained, found.target) == ("latency_ms", "ms", "analytic", "t4:fp16:b8")
    assert found.value == latency_ms([network], target("t4:fp16:b8"))


def test_integer_products_run_at_their_own_rate():
    layer = Layer("conv", macs=10**12, params=1000, inputs=10**5, outputs=10**8)
    h100 = target("h100:bf16:b32")
    ratio = layer_ms(replace(layer, precision="int8"), h100) / layer_ms(layer, h100)
    expected = h100.device.peak_tflops_bf16 / h100.device.peak_tops_int8
    assert ratio == pytest.approx(expected, rel=1e-2)
    assert layer_ms(replace(layer, precision="int8_weights"), h100) == layer_ms(layer, h100)


def test_a_device_of_unknown_integer_rate_gains_no_speed_of_products():
    layer = Layer("conv", macs=10**12, params=1000, inputs=10**5, outputs=10**8)
    t4 = target("t4:fp16:b8")
    assert t4.device.peak_tops_int8 is None
    assert layer_ms(replace(layer, precision="int8"), t4) == layer_ms(layer, t4)


@pytest.mark.parametrize(
    ("precision", "num_bytes"), [("int4_weights", 0.5), ("int8_weights", 1), ("int8", 1), ("bf16", 2)]
)
def test_quantised_weights_are_read_at_their_bytes(precision, num_bytes):
    layer = Layer("linear", macs=1000, params=10**9, inputs=1, outputs=1)
    floor_ms = KERNEL_FLOOR_US / 1e3
    h100 = target("h100:fp32:b1")
    ratio = (layer_ms(replace(layer, precision=precision), h100) - floor_ms) / (layer_ms(layer, h100) - floor_ms)
    assert ratio == pytest.approx(num_bytes / 4, rel=1e-3)


@pytest.mark.parametrize("name", ["int8", "bf16"])
def test_attention_beside_quantised_layers_stays_as_it_is(name: str) -> None:
    """Its products are of two activations: no weights, and nothing that a quantiser changes."""
    attention = Layer("attention", macs=10**11, inputs=10**6, outputs=10**6)
    linear = Layer("linear", macs=10**11, params=10**6, inputs=10**6, outputs=10**6)
    where = target("h100:fp32:b1")
    assert layer_ms(replace(attention, precision=name), where) == layer_ms(attention, where)
    assert layer_ms(replace(linear, precision=name), where) < layer_ms(linear, where)
