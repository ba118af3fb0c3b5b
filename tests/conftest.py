"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from policy import url

# How long an example takes says more about the machine than about the code: nothing here is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

IS_COMPILED = not str(url.__file__).endswith(".py")


def pytest_configure() -> None:
    # `tests/test_compiled.py` runs tests anew, and must not be fooled about what they test.
    if os.environ.get("PENSTOCK_TESTS_EXPECT") == "compiled" and not IS_COMPILED:
        raise pytest.UsageError(f"the sources are tested, not what was compiled: {url.__file__}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if IS_COMPILED and item.get_closest_marker("sources_only"):
            item.add_marker(pytest.mark.skip(reason="replaces what compiled modules call directly"))
