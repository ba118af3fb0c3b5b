from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.config import ConfigValueError, DecodedConfig, InterpolationError, decode_config
from policy.config_types import Pending
from policy.problem import PolicyError, Problem, Severity
from policy.regex import Regex
from policy.source import Mapping, parse_source
from tests.case_files import case_files, check_case
from tests.policy.config.example import ENVIRONMENT, Config, Token


def decode(text: str) -> tuple[DecodedConfig[Config] | None, tuple[Problem, ...]]:
    root = parse_source(text, name="policy.yml")
    assert isinstance(root, Mapping)
    owner = root.key("type") or root
    return decode_config(root.get("config"), Config, ENVIRONMENT, owner=owner)


def decoded(config: str) -> DecodedConfig[Config]:
    result, problems = decode(f"config: {config}")
    assert result is not None, problems
    return result


def problems_of(text: str, _name: str) -> tuple[Problem, ...]:
    return decode(text)[1]


def request(**values: Any) -> Any:
    known: dict[str, Any] = {"req_method": "GET", "conn_client_ip": "10.0.0.1", "vars": {}}
    return SimpleNamespace(**(known | values))


@pytest.mark.parametrize("file", case_files("action_config"))
def test_a_configuration_gives_exactly_these_messages(file: Path) -> None:
    check_case(file, problems_of)


def test_without_parts_the_configuration_is_known_at_load() -> None:
    known = decoded("{to: ab, from: a+, headers: {x: 1.50, y: true}, tokens: {name: t}}")
    config = known.static
    assert config is not None
    assert config.from_ == Regex("a+")
    assert config.headers == {"x": "1.50", "y": "true"}
    assert config.tokens == Token(name="t")
    assert known.sample is config
    assert known.resolve(request()) is config


def test_no_configuration_is_an_empty_one() -> None:
    root = parse_source("type: x", name="p.yml")
    assert root is not None
    for node in [None, parse_source("~", name="p.yml")]:
        _, problems = decode_config(node, Config, ENVIRONMENT, owner=root)
        assert [problem.code for problem in problems] == ["missing-field"]
        empty, problems = decode_config(node, EmptyConfig, ENVIRONMENT, owner=root)
        assert empty is not None
        assert not problems


class EmptyConfig(Token):
    name: str = "n"


def test_an_empty_value_is_as_good_as_none() -> None:
    config = decoded("{to: ab, body: , status_code: ~, headers: }").static
    assert config == Config(to="ab")


def test_parts_are_rendered_per_request() -> None:
    waiting = decoded(
        "{to: '${req.method}!', headers: {a: b, c: '${req.method}'}, from: '^${req.method}$',"
        " allow: [10.0.0.0/8, '${conn.client_ip}'], tokens: [{name: '${req.method}'}, {name: n}]}"
    )
    assert waiting.static is None
    config = waiting.resolve(request(conn_client_ip="192.0.2.1"))
    assert config.to == "GET!"
    assert config.headers == {"a": "b", "c": "GET"}
    assert config.from_ == Regex("^GET$")
    assert config.allow is not None
    assert config.allow.find("192.0.2.1") == "192.0.2.1/32"
    assert config.tokens == [Token(name="GET"), Token(name="n")]
    assert isinstance(config, Config)
    again = waiting.resolve(request(req_method="PUT"))
    assert (config.to, again.to) == ("GET!", "PUT!")


def test_the_same_text_makes_the_same_configuration() -> None:
    waiting = decoded("{to: '${req.method}!', headers: {a: b, c: '${req.method}'}}")
    config = waiting.resolve(request())
    assert waiting.resolve(request()) is config
    other = waiting.resolve(request(req_method="PUT"))
    assert (other.to, other.headers["c"]) == ("PUT!", "PUT")
    assert waiting.resolve(request()).to == "GET!"


@pytest.mark.parametrize("equal", [(1, True), (True, 1), (1, 1.0), ([1], [True])], ids=repr)
def test_values_that_are_equal_and_not_the_same_are_told_apart(equal: tuple[Any, Any]) -> None:
    waiting = decoded("{to: ab, metadata: {a: '${vars.a}'}}")
    resolved = [waiting.resolve(request(vars={"a": value})).metadata["a"] for value in equal]
    assert list(map(repr, resolved)) == list(map(repr, equal))


def test_what_is_refused_is_refused_each_time() -> None:
    waiting = decoded("{to: ab, from: '${req.method}'}")
    waiting.resolve(request())
    for _ in range(2):
        with pytest.raises(ConfigValueError):
            waiting.resolve(request(req_method="("))
    assert waiting.resolve(request()).from_ == Regex("GET")


def test_the_sample_shows_what_waits() -> None:
    sample = decoded("{to: '${req.method}', headers: {a: b, c: '${req.method}'}}").sample
    assert sample is not None
    assert isinstance(sample.to, Pending)
    assert {name: isinstance(value, Pending) for name, value in sample.headers.items()} == {
        "a": False,
        "c": True,
    }


def test_there_is_no_sample_where_what_waits_has_no_shape_yet() -> None:
    waiting = decoded("{to: ab, field: '${req.method}'}")
    assert waiting.sample is None
    assert waiting.resolve(request(req_method="retry")).field == "retry"


@pytest.mark.parametrize(
    ("config", "values", "field", "reference"),
    [
        ("headers: {x: 'a${req.method}'}", {"req_method": "\r\n"}, "headers.x", "ERR_NGROK_2211"),
        ("from: '${req.method}'", {"req_method": "("}, "from", "ERR_NGROK_2261"),
        ("allow: ['::1', '${req.method}']", {}, "allow[1]", "ERR_NGROK_2217"),
        ("field: '${req.method}'", {}, "field", "ERR_NGROK_2204"),
        ("body: '${req.method}'", {"req_method": "SHOUT"}, "body", "ERR_NGROK_2204"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_shown(
    config: str, values: dict[str, str], field: str, reference: str
) -> None:
    waiting = decoded(f"{{to: ab, {config}}}")
    with pytest.raises(ConfigValueError) as refused:
        waiting.resolve(request(**values))
    assert refused.value.field == field
    assert refused.value.reference == reference
    assert "SHOUT" not in str(refused.value)


def test_a_failed_part_names_its_field() -> None:
    waiting = decoded("{to: ab, tokens: [{name: '${vars.list[3]}'}]}")
    with pytest.raises(InterpolationError) as failed:
        waiting.resolve(request(vars={"list": []}))
    assert failed.value.field == "tokens[0].name"
    assert failed.value.reference == "ERR_NGROK_2238"


def test_a_lenient_field_gives_an_empty_value_and_tells() -> None:
    waiting = decoded("{to: ab, metadata: {a: '${vars.list[3]}', b: ['${1 + 1}', c]}}")
    heard: list[str] = []
    config = waiting.resolve(
        request(vars={"list": []}), lambda failure: heard.append(failure.field)
    )
    assert config.metadata == {"a": "", "b": [2, "c"]}
    assert heard == ["metadata.a"]
    assert waiting.resolve(request(vars={"list": []})).metadata["a"] == ""


def test_a_lenient_field_tells_each_time() -> None:
    waiting = decoded("{to: ab, metadata: {a: '${vars.list[3]}'}}")
    heard: list[str] = []
    for _ in range(2):
        waiting.resolve(request(vars={"list": []}), lambda failure: heard.append(failure.field))
    assert heard == ["metadata.a", "metadata.a"]


@pytest.mark.parametrize(
    "variables",
    [
        "[{a: 1}, {b: '${vars.a + 1}'}, {c: '${vars.b}${vars.a}'}]",
        "{a: 1, b: '${vars.a + 1}', c: '${vars.b}${vars.a}'}",
    ],
    ids=["list", "map"],
)
def test_later_items_see_what_earlier_ones_did(variables: str) -> None:
    """Language spec, section 5.20."""
    activation = request()
    decoded(f"{{to: ab, vars: {variables}}}").resolve(activation)
    assert activation.vars == {"a": 1, "b": 2, "c": "21"}


def test_a_tuple_stays_a_tuple() -> None:
    assert decoded("{to: ab, names: [a, b]}").resolve(request()).names == ("a", "b")
    assert decoded("{to: ab, pair: [a, '${req.method}']}").resolve(request()).pair == ("a", "GET")


def test_a_rendered_value_is_not_rendered_again() -> None:
    """T-EX-5."""
    evil = request(req_method="${vars.secret}", vars={"secret": "s"})
    assert decoded("{to: '${req.method}'}").resolve(evil).to == "${vars.secret}"


def test_places_of_fields_are_known() -> None:
    places = decoded("{to: ab, tokens: [{name: n}]}").places
    assert places(("tokens", 0, "name")).column == 34
    assert places(("nowhere",)).column == 9


def test_without_an_environment_nothing_is_interpolated() -> None:
    root = parse_source("{to: '${x}'}", name="p.yml")
    assert root is not None
    config, problems = decode_config(root, Config, None, owner=root)
    assert config is not None
    assert config.static is not None
    assert (config.static.to, problems) == ("${x}", ())


def test_warnings_come_with_the_configuration() -> None:
    config, problems = decode("config: {to: ab, allow: [10.0.0.1/8], rolling_window: 5s}")
    assert config is not None
    assert config.static is not None
    assert config.static.window == 5_000_000_000
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("network-host-bits", Severity.WARNING),
        ("former-name", Severity.WARNING),
    ]


fields = st.sampled_from(
    [*(field.alias or name for name, field in Config.model_fields.items()), "x"]
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 700),
    st.floats(allow_nan=False),
    st.sampled_from(["", "ab", "5s", "10.0.0.0/8", "${req.method}", "${vars.x}", "${", "${nope}"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "method", "a b", "k"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(st.dictionaries(fields, values, max_size=6))
def test_any_configuration_is_decoded_or_reported(config: object) -> None:
    try:
        result, problems = decode(json.dumps({"config": config}))
    except PolicyError:
        return
    assert result is not None or problems
    if result is None:
        return
    with contextlib.suppress(InterpolationError):
        assert isinstance(result.resolve(request(vars={})), Config)
