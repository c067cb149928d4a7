"""The rule that was learned from a trained supernetwork, read from a file: ``learned:FILE`` (``nas learn``).

Its exponents say how depth, width and resolution grow a unit of log cost on one device and one data set; the factor is
of MACs, as every rule's, and splits in the same proportion. It may lose to published rules where it is used far from
what it saw: other data, a longer schedule, a device on which cost moves otherwise, sizes far beyond the space.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scaling.factors import Factors
from scaling.quantise import FAST
from scaling.rule import RULE_MAKERS, CompoundRule
from search_spaces.errors import UsageError


class LearnedExponents(BaseModel):
    """The part of a learned rule's file that scales networks: growth of each dimension a unit of log cost."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    depth: float = Field(ge=0)
    width: float = Field(ge=0)
    resolution: float = Field(ge=0)

    def factors(self, factor: float) -> Factors:
        """Return the factors whose law multiplies MACs by ``factor``, in the proportion of the exponents."""
        step = factor ** (1 / (self.depth + 2 * self.width + 2 * self.resolution))
        width = step**self.width
        return Factors(step**self.depth, width, step**self.resolution, width)


def rule_of_file(text: str) -> CompoundRule:
    """Return the rule of a JSON file that ``nas learn`` wrote; UsageError where it is none."""
    if not text:
        raise UsageError("rule 'learned:' names no file: write learned:FILE, as nas learn --write FILE makes one")
    try:
        content = json.loads(Path(text).read_text(encoding="utf-8"))
        exponents = LearnedExponents.model_validate(content["exponents"])
    except OSError as error:
        raise UsageError(f"rule 'learned:{text}': can't read the file: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, ValidationError):
        raise UsageError(f"rule 'learned:{text}': the file is no learned rule: make one by nas learn") from None
    if not exponents.depth + exponents.width + exponents.resolution > 0:
        raise UsageError(f"rule 'learned:{text}': all exponents are 0: it scales nothing")
    return CompoundRule(f"learned:{text}", exponents.factors, FAST)


RULE_MAKERS.register("learned")(rule_of_file)
