"""Configurations: from nodes of a document to the typed values that actions use."""

from __future__ import annotations

from policy.config.decode import ConfigValueError, DecodedConfig, decode_config
from policy.template import InterpolationError

__all__ = ["ConfigValueError", "DecodedConfig", "InterpolationError", "decode_config"]
