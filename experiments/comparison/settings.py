"""The configuration of a comparison of scaling rules: one TOML file, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from experiments.config import read_toml
from experiments.config_problems import first_problem
from nas.data.settings import AugmentSettings, DataSettings
from nas.training.settings import FinetuneSettings
from predictors.target import parse_target
from scaling.factors import check_factor
from scaling.rule import scaling_rule
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from search_spaces.blueprint import Blueprint


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BaseNetwork(_Frozen):
    """What is scaled.

    Attributes:
        network: a published network's name, or an architecture or blueprint file (JSON).
        space: instead, a search space with its settings, as ``{ name = "resnet", form = "small_image" }``.
        knobs: of the member of ``space``, all of them.
    """

    network: str | None = None
    space: dict[str, Any] | None = None
    knobs: dict[str, Any] = {}

    @model_validator(mode="after")
    def _is_one(self) -> BaseNetwork:
        if (self.network is None) == (self.space is None):
            raise ValueError("give one of network (a name or a JSON file) and space (with knobs)")
        return self

    def blueprint(self) -> Blueprint:
        """Return the network; UsageError where it can't be read or made."""
        from experiments.cli.common import read_blueprint
        from search_spaces.spaces import space as make_space

        if self.network is not None:
            return read_blueprint(Path(self.network))
        settings = dict(self.space or {})
        space = make_space(str(settings.pop("name", "")), **settings)
        return space.blueprint(space.architecture(self.knobs))


class CompareConfig(_Frozen):
    """All settings of a comparison.

    Attributes:
        name: of its folder.
        base: what all rules scale.
        rules: names of rules, as ``nas scale --rule`` takes them.
        factors: of the base's MACs; each rule is solved for the achieved growth.
        counting: counting rule of the costs.
        targets: where latency is told: measured where the device is here, else analytic.
        rounds: visits to each network when it is timed, five runs each.
        data, augmentation: of the trained comparison.
        training: one recipe for all networks; without it nothing is trained.
        seeds: of weights and order; the same for every network.
        data_seed: of the split.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")
    base: BaseNetwork
    rules: tuple[str, ...] = Field(min_length=1)
    factors: tuple[float, ...] = Field((2.0, 4.0), min_length=1)
    counting: Literal["core", "fvcore", "pycls"] = "core"
    targets: tuple[str, ...] = ("cpu:fp32:b1",)
    rounds: int = Field(20, ge=2)
    data: DataSettings = DataSettings()
    augmentation: AugmentSettings = AugmentSettings()
    training: FinetuneSettings | None = None
    seeds: int = Field(2, ge=1)
    data_seed: int = Field(0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _names_are_known(self) -> CompareConfig:
        try:
            for name in self.rules:
                scaling_rule(name)
            for factor in self.factors:
                check_factor(factor)
            for name in self.targets:
                parse_target(name)
        except UsageError as error:
            raise ValueError(str(error)) from None
        if 1.0 in self.factors:
            raise ValueError("factors got 1: the base itself is compared anyway; leave it out")
        for key, values in (("rules", self.rules), ("factors", self.factors), ("targets", self.targets)):
            if len(set(values)) < len(values):
                raise ValueError(f"{key} names one twice: {', '.join(map(str, values))}")
        return self


def read_compare_config(path: Path, overrides: Sequence[str] = ()) -> CompareConfig:
    """Return the configuration of a TOML file with ``a.b=c`` overrides.

    Raises:
        UsageError: the file can't be read, a key is unknown or a value is not allowed; the path of the key is shown.
    """
    try:
        return CompareConfig.model_validate(read_toml(path, overrides))
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error, CompareConfig)}") from None
