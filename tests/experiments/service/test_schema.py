"""Requests made from the OpenAPI by schemathesis: whatever they are, no answer is a 5xx.

``NAS_FUZZ_S`` is how many seconds are spent on it (about 10 unless given).
"""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from service_client import BEARER, Service

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install 'nas[test]'")


def test_no_request_is_a_server_error(service: Service) -> None:
    schema = schemathesis.openapi.from_url(f"{service.base}/api/openapi.json")
    # A stream of events never ends: it has a test of its own.
    operations = [each.ok() for each in schema.get_all_operations() if each.ok().path != "/api/events"]
    assert len(operations) >= 20
    ends = time.monotonic() + float(os.environ.get("NAS_FUZZ_S", "10"))
    seen: dict[tuple[str, str], set[int]] = {}

    for attempt in range(1_000_000):
        for operation in operations:

            @settings(max_examples=3, database=None, deadline=None, derandomize=attempt == 0, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))  # fmt: skip
            @given(case=operation.as_strategy(), token=st.booleans())
            def ask(case: schemathesis.Case, token: bool) -> None:
                answer = case.call(headers=BEARER if token else {}, timeout=30)
                codes = seen.setdefault((case.method, case.path), set())
                codes.add(answer.status_code)
                assert answer.status_code < 500, (case.as_curl_command(), answer.text)
                if case.method.upper() != "GET" and not token:
                    assert answer.status_code == 401, case.as_curl_command()

            ask()
        if time.monotonic() > ends:
            break
    assert len(seen) == len(operations)
    assert {code for codes in seen.values() for code in codes} >= {200, 400, 401, 404}
    print(f"{attempt + 1} rounds over {len(operations)} operations")
