"""The published forms of the spaces of transformers; what every space shows is in test_every_space.py."""

from __future__ import annotations

import pytest

from search_spaces.spaces import space
from search_spaces.testing import check_costs

PUBLISHED_FORMS = [
    ("autoformer", "tiny"),
    ("vit", "tiny"),
    ("vit_resnas", "tiny"),
    ("swin", "tiny"),
    ("crossformer", "tiny"),
    ("crossvit", "15"),
]


@pytest.mark.parametrize(("name", "form"), PUBLISHED_FORMS)
def test_tables_of_the_published_forms(name: str, form: str) -> None:
    check_costs(space(name, form=form), 10)
