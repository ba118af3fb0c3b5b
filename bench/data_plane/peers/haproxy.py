"""HAProxy from Debian, one thread."""

from __future__ import annotations

from functools import partial

from bench.data_plane.contender import Contender
from bench.data_plane.installation import from_debian
from bench.data_plane.site import Site

CONFIG = """
global
  maxconn 4096
  nbthread 1
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 60s
frontend all
  bind 127.0.0.1:{site.port}
  bind 127.0.0.1:{site.tls_port} ssl crt {pem}
  use_backend events if {{ path /api/events }}
  default_backend origin
backend origin
  server origin 127.0.0.1:{site.upstream} pool-max-conn 64
backend events
  option http-no-delay
  server origin 127.0.0.1:{site.upstream} pool-max-conn 64
"""


def command(program: str, site: Site) -> list[str]:
    """Return how it is started."""
    files = (site.certificate.chain, site.certificate.private_key)
    pem = site.write("site.pem", "".join(each.read_text("ascii") for each in files))
    config = site.write("haproxy.cfg", CONFIG.format(site=site, pem=pem))
    return [program, "-db", "-q", "-f", config]


CONTENDERS = (
    Contender(
        proxy="haproxy",
        program=partial(from_debian, "haproxy", "haproxy"),
        command=command,
        version=("-v",),
    ),
)
