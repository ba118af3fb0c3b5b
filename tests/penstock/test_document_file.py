"""Which policy a document holds or names."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.document_file import load_policy_file
from policy.phase import Phase
from tests.console import run


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("spec: {policy: {on_http_request: [{actions: [{type: deny}]}]}}\n"
                     "apiVersion: v1\nkind: NgrokTrafficPolicy\n", id="kubernetes-object"),
        pytest.param('{"traffic_policy": "on_http_request: [{actions: [{type: deny}]}]"}',
                     id="text-in-json"),
    ],
)  # fmt: skip
def test_a_policy_inside_another_document_is_loaded(tmp_path: Path, document: str) -> None:
    (tmp_path / "policy.yaml").write_text(document, "utf-8")
    assert load_policy_file(tmp_path / "policy.yaml").has(Phase.ON_HTTP_REQUEST)


def test_a_policy_file_that_a_document_names_is_loaded(tmp_path: Path) -> None:
    agent = "version: '2'\ntunnels: {a: {addr: 80, traffic_policy_file: policy.yaml}}\n"
    (tmp_path / "agent.yml").write_text(agent, "utf-8")
    (tmp_path / "policy.yaml").write_text("on_http_request: [{actions: [{type: deny}]}]", "utf-8")
    assert load_policy_file(tmp_path / "agent.yml").has(Phase.ON_HTTP_REQUEST)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param("tunnels: {a: {addr: 80}}", "holds no policy", id="agent-without-policy"),
        pytest.param("{apiVersion: v1, kind: Pod}", "unknown-kind", id="other-object"),
    ],
)
def test_a_document_without_a_policy_is_one_clear_message(
    tmp_path: Path, document: str, said: str
) -> None:
    (tmp_path / "d.yml").write_text(document, "utf-8")
    code, printed = run(["eval", str(tmp_path / "d.yml")])
    assert code == 1
    assert said in printed


def test_several_policies_in_one_document_are_too_many(tmp_path: Path) -> None:
    path = tmp_path / "agent.yml"
    one = "{traffic_policy: {on_http_request: []}, addr: 80}"
    path.write_text(f"version: '2'\ntunnels: {{a: {one}, b: {one}}}\n", "utf-8")
    code, printed = run(["eval", str(path)])
    assert code == 1
    assert "holds 2 policies (tunnels.a.traffic_policy, tunnels.b.traffic_policy)" in printed
