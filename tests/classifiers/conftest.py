"""Shared by the tests of the first floor."""

from __future__ import annotations

import pytest

from classifiers import registry
from classifiers.model import Model


@pytest.fixture(scope="session")
def model() -> Model:
    """The model that the seeds give; trained once for all tests."""
    return registry.default_model()[1]
