from __future__ import annotations

from pathlib import Path

import pytest

from policy.container import Contained, find_policies
from policy.problem import Problem
from policy.source import Mapping, parse_source
from tests.case_files import case_files, check_case


def found_in(text: str) -> Contained:
    return find_policies(parse_source(text, name="p.yml"))


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    found = find_policies(parse_source(text, name=name))
    return (*found.problems, *(p for policy in found.policies for p in policy.problems))


@pytest.mark.parametrize("file", case_files("container"))
def test_a_container_gives_exactly_these_messages(file: Path) -> None:
    check_case(file, problems_of)


POLICY = "{on_http_request: [{actions: [{type: deny}]}]}"
AGENT_V3 = f"""
version: 3
endpoints:
  [{{traffic_policy: {POLICY}}}, {{}}, {{traffic_policy: ~}}, {{traffic_policy: {POLICY}}}, 7]
"""
K8S = "apiVersion: ngrok.k8s.ngrok.com/v1alpha1\nkind: "


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (POLICY, [""]),
        ("", [""]),
        ("{}", [""]),
        ("[1]", [""]),
        ("on_http_respons: []", [""]),
        ("{inbound: [], enabled: true}", [""]),
        (f"{{traffic_policy: {POLICY}}}", ["traffic_policy"]),
        (f"traffic_policy: '{POLICY}'", ["traffic_policy"]),
        (f"{{enabled: true, value: '{POLICY}'}}", ["value"]),
        (
            AGENT_V3,
            ["endpoints[0].traffic_policy", "endpoints[3].traffic_policy"],
        ),
        (
            f"tunnels: {{a: {{policy: {POLICY}}}, b: {{traffic_policy: {POLICY}}}, c: 1}}",
            ["tunnels.a.policy", "tunnels.b.traffic_policy"],
        ),
        (f"{K8S}NgrokTrafficPolicy\nspec: {{policy: {POLICY}}}", ["spec.policy"]),
        (
            f"{K8S}CloudEndpoint\nspec: {{trafficPolicy: {{policy: {POLICY}}}}}",
            ["spec.trafficPolicy.policy"],
        ),
        (
            f"{K8S}AgentEndpoint\nspec: {{trafficPolicy: {{inline: {POLICY}}}}}",
            ["spec.trafficPolicy.inline"],
        ),
        (f"{K8S}AgentEndpoint\nspec: {{url: x}}", []),
    ],
)
def test_each_policy_is_found_with_its_path(text: str, paths: list[str]) -> None:
    """Language spec, section 1.1."""
    found = found_in(text)
    assert [policy.path for policy in found.policies] == paths
    assert not found.problems


@pytest.mark.parametrize(
    ("text", "path", "target", "is_file"),
    [
        (
            "endpoints: [{traffic_policy_file: p.yml}]",
            "endpoints[0].traffic_policy_file",
            "p.yml",
            True,
        ),
        (
            f"{K8S}CloudEndpoint\nspec: {{trafficPolicyName: p}}",
            "spec.trafficPolicyName",
            "p",
            False,
        ),
        (
            f"{K8S}AgentEndpoint\nspec: {{trafficPolicy: {{targetRef: {{name: p}}}}}}",
            "spec.trafficPolicy.targetRef.name",
            "p",
            False,
        ),
    ],
)
def test_a_policy_elsewhere_is_named(text: str, path: str, target: str, *, is_file: bool) -> None:
    [reference] = found_in(text).references
    assert (reference.path, reference.target.text, reference.is_file) == (path, target, is_file)


def test_a_policy_in_a_text_keeps_its_places_in_the_file() -> None:
    found = found_in("traffic_policy: |\n  on_http_request:\n    - actions: []\n")
    [policy] = found.policies
    assert isinstance(policy.root, Mapping)
    [(key, _)] = policy.root.entries
    assert (key.place().file, key.place().line, key.place().column) == ("p.yml", 2, 3)
