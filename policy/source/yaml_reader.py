"""Reads YAML with libyaml's parser, from its events: no objects, no recursion, exact positions."""

from __future__ import annotations

from typing import Any, Final

import yaml

from policy.source import messages
from policy.source.core_schema import read_plain
from policy.source.node import Scalar, SourceText, Span, Style
from policy.source.tree import TreeBuilder, Unreadable

_STYLES: Final = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}
_WITHOUT_CONTENT: Final = (yaml.StreamStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)


def read_yaml(source: SourceText) -> TreeBuilder:
    """Build the tree. Raises Unreadable where the text stops being YAML."""
    builder = TreeBuilder(source)
    parser = yaml.CLoader(source.text)
    try:
        _read_events(parser, builder)
    except yaml.YAMLError as error:
        raise _unreadable(source, error) from None
    finally:
        parser.dispose()
    return builder


def _read_events(parser: yaml.CLoader, builder: TreeBuilder) -> None:
    documents = 0
    # Any: what an event has depends on its kind, and every event that we see here has marks.
    event: Any
    while (event := parser.get_event()) is not None:
        if isinstance(event, yaml.ScalarEvent):
            _read_scalar(event, builder)
        elif isinstance(event, yaml.CollectionStartEvent):
            _check_tag(event, builder)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            builder.begin(_span(event).start, is_mapping=is_mapping, anchor=event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            builder.end(_span(event).end)
        elif isinstance(event, yaml.AliasEvent):
            builder.alias(event.anchor or "", _span(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                start = _span(event).start
                place = builder.source.place(start, start + 3)
                raise Unreadable(messages.second_document(place), start)
        elif not isinstance(event, _WITHOUT_CONTENT):
            # A policy of which a part was not understood would be one that lets everything by.
            raise TypeError(f"the YAML parser gave a {type(event)!r}")


def _span(event: Any) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)


def _read_scalar(event: Any, builder: TreeBuilder) -> None:
    source, text = builder.source, event.value
    start, end = _span(event)
    style = _STYLES[event.style]
    if event.anchor is not None or event.tag is not None:
        _check_tag(event, builder)
        content = _start_of_content(source.text, start, end)
        if _is_unquoted_expression(event, source.text[start:content]):
            # What the author meant, so that its own mistakes are found, and no others.
            text = source.text[start:content] + text
        else:
            start = content
    value = read_plain(text) if style is Style.PLAIN and event.tag is None else text
    builder.scalar(Scalar(source, Span(start, end), value, text, style), event.anchor)


def _is_unquoted_expression(event: Any, lead: str) -> bool:
    """Tell whether `lead`, what YAML took for a tag, is the beginning of an expression."""
    is_plain = not event.style and event.anchor is None
    return is_plain and lead.startswith("!") and not lead.startswith("!!") and "\n" not in lead


def _start_of_content(text: str, start: int, end: int) -> int:
    """Skip anchor and tag: a scalar's mark begins before them."""
    while start < end and text[start] in "&!":
        while start < end and not text[start].isspace():
            start += 1
        while start < end and text[start].isspace():
            start += 1
    return start


def _check_tag(event: Any, builder: TreeBuilder) -> None:
    if event.tag is not None:
        start, end = _span(event)
        place = builder.source.place(start, max(end, start + 1))
        builder.problems.append(messages.tag(place, event.tag))


def _unreadable(source: SourceText, error: yaml.YAMLError) -> Unreadable:
    if not isinstance(error, yaml.MarkedYAMLError):  # no place: we check characters before
        return Unreadable(messages.unparsable(source.place(0), str(error)))
    mark = error.problem_mark or error.context_mark
    reason, context = error.problem or "", error.context or ""
    if "quoted scalar" in context and "unexpected" in reason and error.context_mark:
        mark = error.context_mark
    offset = min(mark.index, len(source.text)) if mark else 0
    return Unreadable(messages.unparsable(source.place(offset), reason, context), offset)
