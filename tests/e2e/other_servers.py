"""Servers whose parsers are not ours, each behind one port of loopback.

A server that is a proxy itself passes on to the recording origin of the test; one that runs
applications appends what it has seen to a file.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import debian
from tests.e2e.processes import free_port, running

HERE = Path(__file__).parent
RECORDERS = HERE / "recorders"
APACHE_MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http")

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend all
  bind 127.0.0.1:{port}
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
"""
APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ServerName localhost
ErrorLog {folder}/error.log
{user}
{modules}
Listen 127.0.0.1:{port}
AllowEncodedSlashes NoDecode
ProxyPass "/" "http://127.0.0.1:{origin}/" nocanon
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{origin}
}}
"""


@dataclass(frozen=True)
class Seen:
    """One request as a server understood it."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running server. `record` is None where it passes on to the origin."""

    port: int
    record: Path | None

    def seen(self) -> list[Seen]:
        """Return what it has recorded itself."""
        if self.record is None or not self.record.exists():
            return []
        lines = map(json.loads, self.record.read_text("ascii").splitlines())
        return [Seen(each["method"], each["target"], b64decode(each["body"])) for each in lines]


@dataclass(frozen=True)
class Kind:
    """How one server is had and started. Without `config` it records."""

    program: str
    packages: tuple[str, ...]
    arguments: Sequence[str]
    config: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return Path(self.program).name


SERVERS = (
    Kind("nginx", ("nginx-core",), ("-c", "{folder}/config"), NGINX),
    Kind("haproxy", ("haproxy",), ("-db", "-q", "-f", "{folder}/config"), HAPROXY),
    Kind("apache2", ("apache2",), ("-DFOREGROUND", "-f", "{folder}/config"), APACHE),
    Kind(
        "caddy", ("caddy",), ("run", "--adapter", "caddyfile", "--config", "{folder}/config"), CADDY
    ),
    Kind("node", ("nodejs",), (f"{RECORDERS}/recorder.js", "{port}", "{folder}/record")),
    Kind(
        "/usr/bin/gunicorn",
        ("gunicorn",),
        ("--chdir", str(RECORDERS), "--bind", "127.0.0.1:{port}", "--threads", "8", "wsgi"),
    ),
    Kind(
        "/usr/bin/uvicorn",
        ("uvicorn", "python3-httptools"),
        ("--app-dir", str(RECORDERS), "--http", "httptools", "--port", "{port}",
         "--log-level", "critical", "asgi:application"),
    ),
)  # fmt: skip


@contextmanager
def started(kind: Kind, *, origin: int, folder: Path) -> Iterator[Server]:
    """Run a server in front of an origin's port, or recording; skips where it can't be had."""
    program = debian.need(kind.program, *kind.packages)
    # Some leave root, and must still be able to come here.
    folder.chmod(0o755)
    port = free_port()
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in APACHE_MODULES
    )
    words = {
        "folder": folder, "port": port, "origin": origin, "user": user, "modules": modules,
    }  # fmt: skip
    if kind.config is not None:
        (folder / "config").write_text(kind.config.format(**words))
    record = folder / "record"
    environment = {**os.environ, "RECORD": str(record), "HOME": str(folder)}
    environment.pop("PYTHONPATH", None)
    command = [program, *(each.format(**words) for each in kind.arguments)]
    with running(command, port=port, log=folder / "output.log", environment=environment):
        yield Server(port, None if kind.config is not None else record)
