"""What a configuration class looks like from outside."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AliasChoices, Field

from policy.action import ActionConfig
from policy.config.shape import (
    LeafShape,
    ListShape,
    MapShape,
    ModelShape,
    UnionShape,
    model_shape,
    shape_of,
)
from tests.policy.config.example import Config, Token

SHAPE = model_shape(Config)


def test_a_field_is_found_by_either_of_its_names() -> None:
    found = SHAPE.field("from")
    assert found is not None
    assert (found.key, found.name) == ("from", "from_")
    assert SHAPE.field("from_") is found
    assert SHAPE.field("none") is None


def test_marks_are_read_from_the_annotation() -> None:
    to, window, algorithm = (SHAPE.field(name) for name in ("to", "window", "algorithm"))
    assert to is not None
    assert window is not None
    assert algorithm is not None
    assert (to.doc, to.interpolated is None) == ("Where to.", False)
    assert window.former_names == ("rolling_window",)
    assert (algorithm.reference, window.reference) == ("ERR_NGROK_2214", None)


def test_a_shape_follows_the_annotation() -> None:
    assert isinstance(shape_of(str), LeafShape)
    assert shape_of(tuple[int, ...]) == ListShape(LeafShape(int), is_tuple=True)
    assert shape_of(dict[str, int]) == MapShape(LeafShape(str), LeafShape(int))
    assert shape_of(int | None) == LeafShape(int)
    assert isinstance(shape_of(Token), ModelShape)
    union = shape_of(list[Token] | Token)
    assert isinstance(union, UnionShape)
    assert [type(option) for option in union.options] == [ListShape, ModelShape]


def test_a_field_of_several_aliases_is_our_own_mistake() -> None:
    class Ambiguous(ActionConfig):
        name: Annotated[str, Field(validation_alias=AliasChoices("a", "b"))] = ""

    with pytest.raises(TypeError, match="FormerName"):
        model_shape(Ambiguous)
