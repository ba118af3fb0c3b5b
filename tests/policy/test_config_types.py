from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from policy import config_types as types


def read(field_type: Any, value: object) -> Any:
    return TypeAdapter(field_type, config=ConfigDict(strict=True)).validate_python(value)


def refusal_of(field_type: Any, value: object) -> tuple[str, str | None, str | None]:
    with pytest.raises(ValidationError) as refused:
        read(field_type, value)
    [error] = refused.value.errors()
    context = error.get("ctx", {})
    return error["type"], context.get("reference"), context.get("hint")


@pytest.mark.parametrize(
    ("field_type", "written", "meaning"),
    [
        (types.HeaderName, "X-Request-Id", "X-Request-Id"),
        (types.HeaderValue, " padded\t", "padded"),
        (types.HeaderValue, "é\tü", "é\tü"),
        (types.HeaderValue, "", ""),
        (types.HeaderMap, {"a": "1"}, {"a": "1"}),
        (types.DurationNs, "1m30s", 90_000_000_000),
        (Annotated[types.DurationNs, types.DurationRange(maximum="2m")], "2m", 120_000_000_000),
        (Annotated[int, types.StatusRange()], 204, 204),
        (Annotated[str, types.AbsoluteUrl()], "https://a.example/x", "https://a.example/x"),
        (Annotated[list[str], types.Unique()], ["a", "b"], ["a", "b"]),
    ],
)
def test_a_good_value_is_read(field_type: Any, written: object, meaning: object) -> None:
    assert read(field_type, written) == meaning


def test_a_regex_arrives_compiled() -> None:
    assert read(types.Regex, "a+").replace("caat", "o").text == "cot"


def test_networks_arrive_as_one_set() -> None:
    networks = read(types.NetworkSet, ["10.0.0.0/8", "::1"])
    assert networks.find("10.1.2.3") == "10.0.0.0/8"


BAD = {
    "name-space": (types.HeaderName, "a b", "header-name-invalid", "2210"),
    "name-empty": (types.HeaderName, "", "header-name-invalid", "2210"),
    "name-colon": (types.HeaderName, "a:", "header-name-invalid", "2210"),
    "name-newline": (types.HeaderName, "a\n", "header-name-invalid", "2210"),
    "name-long": (types.HeaderName, "a" * 257, "header-name-too-long", "2208"),
    "value-crlf": (types.HeaderValue, "a\r\nb: c", "header-value-invalid", "2211"),
    "value-nul": (types.HeaderValue, "\0", "header-value-invalid", "2211"),
    "value-surrogate": (types.HeaderValue, "\ud800", "header-value-invalid", "2211"),
    "value-delete": (types.HeaderValue, "\x7f", "header-value-invalid", "2211"),
    "value-long": (types.HeaderValue, "é" * 4097, "header-value-too-long", "2209"),
    "headers-many": (types.HeaderMap, {f"h{i}": "" for i in range(11)}, "too-many-headers", "2212"),
    "regex": (types.Regex, "(", "regex-invalid", "2261"),
    "duration": (types.DurationNs, "soon", "duration-invalid", "2204"),
    "network": (types.NetworkSet, ["10.1"], "network-invalid", "2217"),
    "duration-long": (
        Annotated[types.DurationNs, types.DurationRange(maximum="2m")],
        "121s",
        "duration-too-long",
        "2225",
    ),
    "duration-short": (
        Annotated[types.DurationNs, types.DurationRange(minimum="1s", maximum="2m")],
        "999ms",
        "duration-too-short",
        "2215",
    ),
    "duration-step": (
        Annotated[types.DurationNs, types.DurationRange(maximum="2m", step="10s")],
        "65s",
        "duration-step",
        "2215",
    ),
    "status": (Annotated[int, types.StatusRange()], 199, "status-code-invalid", "2215"),
    "status-excluded": (
        Annotated[int, types.StatusRange(300, 308, (304,))],
        304,
        "status-code-invalid",
        "2215",
    ),
    "url-relative": (Annotated[str, types.AbsoluteUrl()], "/x", "url-invalid", "2226"),
    "url-scheme": (Annotated[str, types.AbsoluteUrl()], "ftp://a/", "url-invalid", "2226"),
    "url-backslash": (Annotated[str, types.AbsoluteUrl()], "http://a\\b", "url-invalid", "2226"),
    "url-no-host": (Annotated[str, types.AbsoluteUrl()], "https:///x", "url-invalid", "2226"),
    "twice": (Annotated[list[str], types.Unique()], ["a", "a"], "duplicate-value", "2231"),
    "many": (Annotated[list[int], types.AtMost(1)], [1, 2], "too-many-entries", "2218"),
}


@pytest.mark.parametrize(("field_type", "value", "code", "number"), BAD.values(), ids=BAD)
def test_a_bad_value_is_refused_by_the_languages_number(
    field_type: Any, value: object, code: str, number: str
) -> None:
    assert refusal_of(field_type, value)[:2] == (code, f"ERR_NGROK_{number}")


def test_a_value_that_ends_with_a_line_break_gets_the_remedy() -> None:
    hint = refusal_of(types.HeaderValue, "a\n")[2]
    assert hint == "a block scalar ends with a line break: write '>-' or '|-' to leave it out"
    assert refusal_of(types.HeaderValue, "a\nb")[2] is None


def test_a_number_for_a_duration_asks_for_the_unit() -> None:
    assert refusal_of(types.DurationNs, 60) == (
        "string_type",
        None,
        "a duration has a unit: 90s, 500ms, 1h30m",
    )


@pytest.mark.parametrize(
    "field_type",
    [types.HeaderValue, types.Regex, types.DurationNs, Annotated[str, types.AbsoluteUrl()]],
)
def test_a_text_that_waits_for_a_request_passes(field_type: Any) -> None:
    assert read(field_type, types.Pending("${req.method}")) == "${req.method}"


def test_networks_that_wait_for_a_request_are_left_out_and_the_others_checked() -> None:
    waiting = types.Pending("${vars.cidr}")
    assert len(read(types.NetworkSet, [waiting, "10.0.0.0/8"])) == 1
    assert refusal_of(types.NetworkSet, [waiting, "10.1"])[0] == "network-invalid"


def test_waiting_texts_are_no_duplicates() -> None:
    twice = [types.Pending("${x}"), types.Pending("${x}")]
    assert read(Annotated[list[Any], types.Unique()], twice) == twice


@pytest.mark.parametrize(
    ("field_type", "schema"),
    [
        (types.HeaderName, {"type": "string", "description": "header name"}),
        (Annotated[str, types.AbsoluteUrl()], {"type": "string", "format": "uri"}),
        (
            types.NetworkSet,
            {"type": "array", "items": {"type": "string", "description": "network (CIDR)"}},
        ),
    ],
)
def test_types_describe_themselves_to_editors(field_type: Any, schema: dict[str, Any]) -> None:
    assert TypeAdapter(field_type).json_schema() == schema
