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
from policy.source.concealment import INTERPOLATION


def hide_secrets(node: Node | None, shape: Shape) -> bool:
    """Hide every secret value of a configuration that stands at a node.

    Tells whether any stands there in clear text, and not only what leads to it.
    """
    match shape, node:
        case ModelShape(), Mapping():
            found = _hide_in_model(node, shape)
        case ListShape(item=item), Sequence(items=items):
            found = [hide_secrets(each, item) for each in items]
        case MapShape(value=value), Mapping(entries=entries):
            found = [hide_secrets(each, value) for _, each in entries]
        case UnionShape(options=options), _:
            found = [hide_secrets(node, option) for option in options]
        case _:
            found = []
    return any(found)


def _hide_in_model(node: Mapping, shape: ModelShape) -> list[bool]:
    found: list[bool] = []
    holds_secrets = any(map(_mark_of, shape.fields))
    for key, child in node.entries:
        field = shape.field(key.text)
        if field is None:
            mark = Secret() if holds_secrets else None
        else:
            mark = _mark_of(field)
            found.append(hide_secrets(child, field.shape))
        if mark is not None:
            found.append(_hide(child, mark))
    return found


def _mark_of(field: FieldShape) -> Secret | None:
    """Return the mark of a field, or of the type that it has."""
    marks = (*field.info.metadata, *field.shape.metadata)
    return next((mark for mark in marks if isinstance(mark, Secret)), None)


def _hide(node: Node, mark: Secret) -> bool:
    match node:
        case Scalar():
            start = node.text.find(mark.behind) + 1 if mark.behind else 0
            node.hide(start)
            return bool(INTERPOLATION.sub("", node.text[start:]).strip())
        case Sequence(items=items):
            found = [_hide(each, mark) for each in items]
        case Mapping(entries=entries):
            secret = [each for key, each in entries if key.text not in mark.open_keys]
            found = [_hide(each, Secret()) for each in secret]
    # All of them are hidden before the question is answered.
    return any(found)
