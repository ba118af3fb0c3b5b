from __future__ import annotations

from typing import Any

from policy.config.schema import config_schema
from tests.policy.config.example import Config

SCHEMA = config_schema(Config)
PROPERTIES: dict[str, Any] = SCHEMA["properties"]


def test_a_class_is_a_closed_object_with_its_required_fields() -> None:
    assert SCHEMA["type"] == "object"
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["required"] == ["to"]


def test_fields_have_the_names_that_documents_use() -> None:
    assert "from" in PROPERTIES
    assert "from_" not in PROPERTIES


def test_each_kind_of_field_is_described() -> None:
    assert PROPERTIES["to"] == {"type": "string", "minLength": 2, "description": "Where to."}
    assert PROPERTIES["from"] == {"type": "string", "title": "regular expression (RE2)"}
    assert PROPERTIES["status_code"] == {
        "type": "integer",
        "minimum": 200,
        "maximum": 599,
        "default": 200,
    }
    assert PROPERTIES["headers"] == {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "maxProperties": 10,
    }
    assert PROPERTIES["allow"] == {"type": "array", "items": {"type": "string"}}
    assert PROPERTIES["window"] == {"type": "string", "title": "duration"}
    assert PROPERTIES["algorithm"] == {"enum": ["gzip", "br"], "default": "gzip"}
    assert PROPERTIES["ratio"] == {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}
    assert PROPERTIES["names"] == {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "maxItems": 2,
    }
    assert PROPERTIES["enforce"] == {"type": "boolean", "default": True}


def test_nested_classes_stand_in_their_place() -> None:
    listed, single = PROPERTIES["tokens"]["anyOf"]
    assert listed == {"type": "array", "items": single}
    assert single["properties"]["method"] == {"enum": ["header", "body"], "default": "header"}
    assert single["required"] == ["name"]


def test_an_interpolated_choice_may_be_text() -> None:
    assert PROPERTIES["field"] == {
        "anyOf": [{"enum": ["data", "retry"]}, {"type": "string"}],
        "default": "data",
    }


def test_old_names_are_marked() -> None:
    assert PROPERTIES["rolling_window"]["deprecated"] is True
