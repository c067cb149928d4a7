import subprocess
import sys

import pytest
from pydantic import ValidationError

from nas.data.settings import AugmentSettings, DataSettings
from search_spaces.errors import UsageError


def test_fractions_that_leave_no_training_images_are_refused():
    with pytest.raises(
        UsageError, match=r"validation_fraction 0.5 \+ test_fraction 0.5 = 1: they must sum to less than 1"
    ):
        DataSettings(validation_fraction=0.5, test_fraction=0.5)


@pytest.mark.parametrize("settings", [DataSettings, AugmentSettings])
def test_settings_are_frozen_and_know_their_keys(settings):
    with pytest.raises(ValidationError, match="colour"):
        settings(colour=1)
    first = next(iter(settings.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings(), first, getattr(settings(), first))


def test_settings_load_without_torch():
    code = "import sys, nas.data.settings, nas.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
