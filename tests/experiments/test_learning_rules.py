from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.learning_rules import learned_rule
from scaling.rule import scaling_rule
from search_spaces.networks import network


def test_the_file_of_a_rule_scales_networks_and_tells_what_it_rests_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.5, 0.5, (60, 3))
    errors = 10 + 4 * np.exp(-x).sum(1)
    rows = [
        {
            "depth": 2 * np.exp(d),
            "width": 50 * np.exp(w),
            "resolution": 20 * np.exp(r),
            "validation_error": error,
            "cost": np.exp(d + 2 * w + 2 * r),
            "cost_obtained": "analytic",
        }
        for (d, w, r), error in zip(x, errors, strict=True)
    ]
    found = learned_rule(rows, "macs", 4.0, seed=0, num_draws=4)
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(found))
    scaled = scaling_rule(f"learned:{path}")(network("regnety_002"), 4.0)
    assert scaled.predicted.macs == pytest.approx(4.0)
    assert (found["cost"], found["cost_obtained"], found["networks"]) == ("macs", "analytic", 60)
    assert set(found["intervals"]) == set(found["exponents"]) == {"depth", "width", "resolution"}
    assert found["fit"]["cost_r2"] > 0.999
