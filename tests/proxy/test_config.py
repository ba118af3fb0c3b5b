"""`penstock.yml`: what it means, and the exact messages about what is wrong with it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import pytest

from policy.net import parse_address
from policy.problem import PolicyError, Problem
from policy.source import parse_source
from proxy.assembly import Assembly, assemble
from proxy.config import plan_of, read_config
from proxy.failure import Failure
from proxy.limits import Limits
from proxy.settings_types import SocketAddress
from tests.case_files import case_files, check_case

NOWHERE = Path("/nonexistent")


RIGHTS = {"world-writable", "readable-by-others"}
WITH_PASSWORD = (
    "{on_http_request: [{actions: [{type: basic-auth, config: {credentials: [bob:long-enough]}}]}]}"
)


WITH_REFERENCE = (
    "{upstream: {url: 1}, traffic_policy: {on_http_request: [{actions: [{type: basic-auth,"
    " config: {credentials: [\"bob:${secrets.get('v', 'n')}\"]}}]}]}}"
)


def assembly_of(text: str, *, name: str = "penstock.yml", folder: Path = NOWHERE) -> Assembly:
    return assemble(plan_of(parse_source(text, name=name), name=name, folder=folder))


def problems_of(text: str, name: str) -> Iterable[Problem]:
    return assembly_of(text, name=name).warnings


@pytest.mark.parametrize("file", case_files("config"))
def test_problems_are_told_exactly(file: Path) -> None:
    check_case(file, problems_of)


FULL = """
version: 3
listeners:
  - address: 127.0.0.1:4000
    proxy_protocol: off
  - address: "[::1]:4001"
    proxy_protocol: on
trusted_proxies: [127.0.0.1/32, "::1"]
endpoints:
  - name: orders
    url: https://orders.example.com
    upstream: {url: http://127.0.0.1:8080/base/}
    traffic_policy_file: orders.yml
  - url: "*.example.com"
    upstream: {url: app:81}
    encoded_slashes: keep
  - url: http://reports.internal
    upstream: {url: 9000}
    traffic_policy: |
      on_http_request:
        - actions: [{type: restrict-ips, config: {ip_policies: [vendor]}}]
store: memory
ip_policies:
  vendor:
    - {cidr: 203.0.113.0/24, action: allow}
    - {cidr: 203.0.113.9, action: deny, description: left us}
limits: {head_timeout_s: 5, max_fields: 50}
server_region: eu
admin: 127.0.0.1:4041
"""


def test_every_setting_arrives_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "orders.yml").write_text("on_http_request: [{actions: [{type: deny}]}]")
    assembly = assembly_of(FULL, folder=tmp_path)
    runtime = assembly.runtime

    orders = runtime.endpoints.find("orders.example.com")
    assert orders is not None
    assert orders.upstream is not None
    assert (orders.endpoint.name, orders.endpoint.url, orders.endpoint.port) == (
        "orders", "https://orders.example.com", 443,
    )  # fmt: skip
    assert (orders.upstream.authority, orders.upstream.base_path) == ("127.0.0.1:8080", "/base")
    assert orders.policy.rules
    other = runtime.endpoints.find("a.b.example.com")
    assert other is not None
    assert other.upstream is not None
    assert other.upstream.authority == "app:81"
    assert (orders.endpoint.keeps_encoded_slashes, other.endpoint.keeps_encoded_slashes) == (
        False, True,
    )  # fmt: skip
    assert runtime.endpoints.find("reports.internal") is None
    assert runtime.endpoints.find("unknown.test") is None

    assert [(each.host, each.port, each.proxy_protocol) for each in assembly.listeners] == [
        ("127.0.0.1", 4000, False),
        ("::1", 4001, True),
    ]
    assert runtime.trusted_proxies.trusts("::1")
    vendor = runtime.surroundings.ip_policies["vendor"]
    assert parse_address("203.0.113.9") in vendor.deny
    assert parse_address("203.0.113.8") in vendor.allow
    assert runtime.limits == Limits(head_timeout_s=5, max_fields=50)
    assert runtime.server_region == "eu"
    assert assembly.plan.admin == SocketAddress("127.0.0.1", 4041)
    assert assembly.files == {tmp_path / "orders.yml"}


def test_without_listeners_it_is_the_agents_usual_neighbour() -> None:
    assembly = assembly_of("endpoints: [{upstream: {url: 8080}}]")
    assert [(each.host, each.port) for each in assembly.listeners] == [("127.0.0.1", 4000)]
    only = assembly.runtime.endpoints.only
    assert only is not None
    assert only.endpoint.url == "http://127.0.0.1:4000"


def test_an_endpoint_keeps_its_id() -> None:
    ids = {
        assembly_of("endpoints: [{name: a, upstream: {url: 8080}}]").runtime.endpoints.all()[0]
        .endpoint.id
        for _ in range(2)
    }  # fmt: skip
    assert len(ids) == 1


def test_paths_count_from_the_files_folder_and_are_watched(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "app.yml").write_text("")
    config = tmp_path / "penstock.yml"
    config.write_text("endpoints: [{upstream: {url: 8080}, traffic_policy_file: policies/app.yml}]")
    assembly = assemble(read_config(config))
    assert assembly.files == {config, tmp_path / "policies" / "app.yml"}


def test_a_missing_file_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no such file or directory"):
        read_config(tmp_path / "penstock.yml")


def test_a_folder_in_place_of_a_file_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is a directory"):
        read_config(tmp_path)


def test_text_that_is_no_yaml_is_a_problem_with_a_place(tmp_path: Path) -> None:
    config = tmp_path / "penstock.yml"
    config.write_text("endpoints: [\n")
    with pytest.raises(PolicyError, match=r"penstock\.yml:\d+:\d+: "):
        read_config(config)


@pytest.mark.parametrize(
    ("mode", "codes"),
    [(0o600, []), (0o640, ["readable-by-others"]), (0o644, ["readable-by-others"]),
     (0o666, ["world-writable", "readable-by-others"])],
    ids=["owner only", "group reads", "all read", "all write"],
)  # fmt: skip
@pytest.mark.parametrize("holder", ["inline", "as text", "in a file", "a store's password"])
def test_rights_that_are_too_wide_for_secrets_are_warned_of(
    tmp_path: Path, mode: int, codes: list[str], holder: str
) -> None:
    """T-YA-10: once for each file, however many endpoints have some."""
    config = tmp_path / "penstock.yml"
    guarded = config
    match holder:
        case "inline":
            text = "".join(
                f"  - {{url: {name}.test, upstream: {{url: 1}}, traffic_policy: {WITH_PASSWORD}}}\n"
                for name in "ab"
            )
            config.write_text(f"endpoints:\n{text}")
        case "as text":
            config.write_text(
                f"endpoints: [{{upstream: {{url: 1}}, traffic_policy: '{WITH_PASSWORD}'}}]"
            )
        case "in a file":
            guarded = tmp_path / "policy.yml"
            guarded.write_text(WITH_PASSWORD)
            config.write_text("endpoints: [{upstream: {url: 1}, traffic_policy_file: policy.yml}]")
            config.chmod(0o600)
        case _:
            key = tmp_path / "store.key"
            key.write_text(base64.b64encode(bytes(32)).decode())
            key.chmod(0o600)
            store = "{url: 'redis://:pass@127.0.0.1/0', key_files: [store.key]}"
            config.write_text(f"endpoints: [{{upstream: {{url: 1}}}}]\nstore: {store}")
    guarded.chmod(mode)
    warnings = assemble(read_config(config)).warnings
    found = [each.code for each in warnings if each.code in RIGHTS]
    assert sorted(found) == sorted(codes)
    assert {each.place.file for each in warnings if each.code in RIGHTS} <= {str(guarded)}


@pytest.mark.parametrize(
    "endpoint",
    [
        "{upstream: {url: 8080}}",
        "{traffic_policy: {on_http_request: [{actions: [{type: deny}]}]}}",
        WITH_REFERENCE,
    ],
    ids=["no policy", "nothing secret", "secrets elsewhere"],
)
def test_anybody_may_read_what_holds_no_secret(tmp_path: Path, endpoint: str) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "n").write_text("long-enough")
    (tmp_path / "v" / "n").chmod(0o600)
    config = tmp_path / "penstock.yml"
    vaults = "secrets: {vaults: {v: {directory: v}}}"
    config.write_text(f"endpoints: [{endpoint}]\n{vaults}")
    config.chmod(0o644)
    assert RIGHTS.isdisjoint(each.code for each in assemble(read_config(config)).warnings)
    config.chmod(0o666)
    codes = [each.code for each in assemble(read_config(config)).warnings]
    assert [each for each in codes if each in RIGHTS] == ["world-writable"]


def test_databases_answer_for_the_endpoints_policies(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "proxy.vpn.example.txt").write_text("203.0.113.0/24\n")
    text = "endpoints: [{upstream: {url: 80}}]\nip_intelligence: {categories: lists}\n"
    assembly = assembly_of(text, folder=tmp_path)
    record = assembly.runtime.surroundings.intelligence.lookup("203.0.113.7")
    assert record.categories == ("proxy", "proxy.vpn", "proxy.vpn.example")
    assert tmp_path / "lists" / "proxy.vpn.example.txt" in assembly.files


def test_a_damaged_list_of_networks_is_told_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "com.example.txt").write_text("203.0.113.0/24\n10.1\n")
    text = "endpoints: [{upstream: {url: 80}}]\nip_intelligence: {categories: .}\n"
    with pytest.raises(PolicyError, match=r"com\.example\.txt.*line 2"):
        assembly_of(text, folder=tmp_path)


def test_vaults_answer_for_the_endpoints_policies(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "token").write_text("s3cret\n")
    text = "endpoints: [{upstream: {url: 80}}]\nsecrets: {vaults: {main: {directory: vault}}}\n"
    assembly = assembly_of(text, folder=tmp_path)
    assert assembly.runtime.surroundings.secret("main", "token") == "s3cret"
    assert tmp_path / "vault" / "token" in assembly.files
