"""The proxies that are measured: how each is started with the same task on one core."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """One proxy. `command` gets a directory of its own, its port and the upstream's port."""

    name: str
    command: Callable[[Path, int, int], list[str]]
    available: Callable[[], bool] = lambda: True


def penstock(policy: str | None) -> Callable[[Path, int, int], list[str]]:
    def command(_: Path, port: int, upstream: int) -> list[str]:
        rules = ["--traffic-policy-file", str(HERE / "policies" / policy)] if policy else []
        return [
            sys.executable, "-m", "penstock", "http", str(upstream), "--listen",
            f"127.0.0.1:{port}", "--log", "false", *rules,
        ]  # fmt: skip

    return command


def bare_aiohttp(_: Path, port: int, upstream: int) -> list[str]:
    return [sys.executable, str(HERE / "aiohttp_proxy.py"), str(port), str(upstream)]


NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {home}/b; proxy_temp_path {home}/p;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  keepalive_requests 100000000;
  upstream origin {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


def nginx(home: Path, port: int, upstream: int) -> list[str]:
    config = home / "nginx.conf"
    config.write_text(NGINX.format(home=home, port=port, upstream=upstream), encoding="ascii")
    return ["nginx", "-c", str(config), "-p", str(home)]


ENVOY_TYPES = "type.googleapis.com/envoy.extensions"
ENVOY = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {types}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          use_remote_address: true
          generate_request_id: false
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/"}}, route: {{cluster: origin}}}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": {types}.filters.http.router.v3.Router}}
  clusters:
  - name: origin
    connect_timeout: 5s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}
"""


def envoy(home: Path, port: int, upstream: int) -> list[str]:
    config = home / "envoy.yaml"
    config.write_text(
        ENVOY.format(port=port, upstream=upstream, types=ENVOY_TYPES), encoding="ascii"
    )
    return [
        "envoy",
        "-c",
        str(config),
        "--concurrency",
        "1",
        "-l",
        "error",
        "--disable-hot-restart",
    ]


def installed(program: str) -> Callable[[], bool]:
    return lambda: shutil.which(program) is not None


PEERS = (
    Peer("penstock, empty policy", penstock(None)),
    Peer("penstock, ten rules", penstock("ten.yml")),
    Peer("penstock, fifty rules", penstock("fifty.yml")),
    Peer("aiohttp, bare", bare_aiohttp),
    Peer("nginx", nginx, installed("nginx")),
    Peer("envoy", envoy, installed("envoy")),
)
