"""A real upstream from Debian, and Penstock in front of it, as separate processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import debian
from tests.e2e.processes import free_port, penstock, running

HERE = Path(__file__).parent
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
POLICY = """
on_http_request:
  - name: no admin
    expressions: ["req.url.path.startsWith('/admin')"]
    actions: [{type: deny}]
  - name: who is asking
    actions:
      - {type: add-headers, config: {headers: {x-client: "${conn.client_ip}"}}}
on_http_response:
  - actions:
      - {type: add-headers, config: {headers: {x-guarded-by: penstock}}}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The first test may have to install a browser and a web server.
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(900))


@dataclass(frozen=True)
class Site:
    """Where the pieces are. `log` is the output of Penstock, `www` the upstream's files."""

    url: str
    port: int
    upstream_port: int
    www: Path
    log: Path
    policy: Path
    pid: int


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    nginx = debian.need("nginx", "nginx-core")
    debian.need_package("libnginx-mod-nchan")
    root = tmp_path_factory.mktemp("site")
    www = root / "www"
    www.mkdir()
    (www / "index.html").write_text("<!doctype html><title>Site</title><h1>Site</h1>")
    (www / "room.html").write_text((HERE / "room.html").read_text())
    upstream_port, port = free_port(), free_port()
    config = root / "nginx.conf"
    template = (HERE / "nginx.conf").read_text()
    config.write_text(template.format(module=NCHAN, root=root, port=upstream_port))
    policy = root / "policy.yml"
    policy.write_text(POLICY)
    command = penstock(
        "http", str(upstream_port), "--traffic-policy-file", str(policy),
        "--listen", f"127.0.0.1:{port}",
    )  # fmt: skip
    with (
        running([nginx, "-c", str(config)], port=upstream_port, log=root / "nginx.log"),
        running(command, port=port, log=root / "penstock.log") as process,
    ):
        yield Site(
            url=f"http://127.0.0.1:{port}",
            port=port,
            upstream_port=upstream_port,
            www=www,
            log=root / "penstock.log",
            policy=policy,
            pid=process.pid,
        )
