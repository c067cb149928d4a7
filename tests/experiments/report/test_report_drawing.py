"""The drawing of a network: every block is there, inside the frame, to scale, with nothing but text in its texts."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest
from conftest_blueprints import mobile_blueprint, vit_blueprint
from hypothesis import given
from hypothesis import strategies as st

from experiments.report.drawing import draw, kind_colors
from search_spaces.blueprint import Block, Blueprint, Stage
