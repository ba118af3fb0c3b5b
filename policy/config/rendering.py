"""Renders what waits for a request: one function per field, made at load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from policy.config.values import Path, WaitingText
from policy.config_types import Interpolated
from policy.template import InterpolationError

OnFailure: TypeAlias = Callable[[InterpolationError], None]
Render: TypeAlias = Callable[[Any, OnFailure | None], Any]


def compile_field(
    value: Any, path: Path, waiting: Mapping[Path, WaitingText], interpolated: Interpolated | None
) -> Render:
    """Make the function that renders a field's value.

    It takes an activation and whom to tell about parts that may fail (marked `lenient`); it
    raises InterpolationError for all others.
    """
    if interpolated is None or interpolated.after_item is None:
        return _compile(value, path, waiting)
    return _one_by_one(value, path, waiting, interpolated.after_item)


def render_path(path: Path) -> str:
    """Write a path as documents name it: `replacements[0].to`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _compile(value: Any, path: Path, waiting: Mapping[Path, WaitingText]) -> Render:
    found = waiting.get(path)
    if found is not None:
        return _text_renderer(found)
    if not any(other[: len(path)] == path for other in waiting):
        return lambda _activation, _failed: value
    if isinstance(value, dict):
        parts = [(key, _compile(item, (*path, key), waiting)) for key, item in value.items()]
        return lambda activation, failed: {key: part(activation, failed) for key, part in parts}
    items = [_compile(item, (*path, index), waiting) for index, item in enumerate(value)]
    if isinstance(value, tuple):
        return lambda activation, failed: tuple([item(activation, failed) for item in items])
    return lambda activation, failed: [item(activation, failed) for item in items]


def _text_renderer(text: WaitingText) -> Render:
    template, interpolated = text.template, text.interpolated
    evaluate = template.value if interpolated.typed else template.render
    field = render_path(text.path)
    lenient = interpolated.lenient

    def render(activation: Any, failed: OnFailure | None) -> Any:
        try:
            return evaluate(activation)
        except InterpolationError as error:
            named = InterpolationError(error.code, error.message, field=field)
            if not lenient:
                raise named from None
            if failed is not None:
                failed(named)
            return ""

    return render


def _one_by_one(
    value: Any,
    path: Path,
    waiting: Mapping[Path, WaitingText],
    after_item: Callable[[Any, Any], None],
) -> Render:
    items = [_compile(item, item_path, waiting) for item, item_path in _items(value, path)]

    def render(activation: Any, failed: OnFailure | None) -> list[Any]:
        rendered = []
        for item in items:
            rendered.append(item(activation, failed))
            after_item(activation, rendered[-1])
        return rendered

    def render_map(activation: Any, failed: OnFailure | None) -> dict[Any, Any]:
        rendered = {}
        for key, item in zip(value, items, strict=True):
            rendered[key] = item(activation, failed)
            after_item(activation, {key: rendered[key]})
        return rendered

    return render_map if isinstance(value, dict) else render


def _items(value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return ((item, (*path, step)) for step, item in pairs)
