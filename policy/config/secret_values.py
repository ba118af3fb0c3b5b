"""Finds the secrets in a document by what its configuration classes say, before any message.

Also hidden is what stands under an unknown name beside a secret: it may be the misspelt one.
"""

from __future__ import annotations

from policy.config.shape import (
    FieldShape,
    ListShape,
    MapShape,
    ModelShape,
    Shape,
    UnionShape,
)
from policy.config_types import Secret
from policy.source import Mapping, Node, Scalar, Sequence


def hide_secrets(node: Node | None, shape: Shape) -> None:
    """Hide every secret value of a configuration that stands at a node."""
    match shape, node:
        case ModelShape(), Mapping():
            _hide_in_model(node, shape)
        case ListShape(item=item), Sequence(items=items):
            for each in items:
                hide_secrets(each, item)
        case MapShape(value=value), Mapping(entries=entries):
            for _, each in entries:
                hide_secrets(each, value)
        case UnionShape(options=options), _:
            for option in options:
                hide_secrets(node, option)


def _hide_in_model(node: Mapping, shape: ModelShape) -> None:
    holds_secrets = any(map(_mark_of, shape.fields))
    for key, child in node.entries:
        field = shape.field(key.text)
        if field is None:
            mark = Secret() if holds_secrets else None
        else:
            mark = _mark_of(field)
            hide_secrets(child, field.shape)
        if mark is not None:
            _hide(child, mark)


def _mark_of(field: FieldShape) -> Secret | None:
    """Return the mark of a field, or of the type that it has."""
    marks = (*field.info.metadata, *field.shape.metadata)
    return next((mark for mark in marks if isinstance(mark, Secret)), None)


def _hide(node: Node, mark: Secret) -> None:
    match node:
        case Scalar():
            found = node.text.find(mark.behind) + 1 if mark.behind else 0
            node.hide(found)
        case Sequence(items=items):
            for each in items:
                _hide(each, mark)
        case Mapping(entries=entries):
            for key, each in entries:
                if key.text not in mark.open_keys:
                    _hide(each, Secret())
