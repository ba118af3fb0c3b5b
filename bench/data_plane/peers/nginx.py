"""nginx from Debian, one worker. It buffers no uploads and no events: nobody else here does."""

from __future__ import annotations

from functools import partial

from bench.data_plane.contender import Contender
from bench.data_plane.installation import from_debian
from bench.data_plane.site import Site

CONFIG = """
daemon off; worker_processes 1; pid {site.home}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {site.home}/b; proxy_temp_path {site.home}/p;
  fastcgi_temp_path {site.home}/f; uwsgi_temp_path {site.home}/u; scgi_temp_path {site.home}/s;
  keepalive_requests 100000000;
  map $http_upgrade $upgrading {{ default upgrade; "" ""; }}
  upstream origin {{
    server 127.0.0.1:{site.upstream}; keepalive 64; keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{site.port};
    listen 127.0.0.1:{site.tls_port} ssl;
    ssl_certificate {site.certificate.chain};
    ssl_certificate_key {site.certificate.private_key};
    proxy_http_version 1.1; proxy_request_buffering off; proxy_max_temp_file_size 0;
    proxy_set_header Connection $upgrading; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $host; proxy_set_header X-Forwarded-Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    location / {{ proxy_pass http://origin; }}
    location /api/events {{ proxy_pass http://origin; proxy_buffering off; }}
  }}
}}
"""


def command(program: str, site: Site) -> list[str]:
    """Return how it is started."""
    return [program, "-c", site.write("nginx.conf", CONFIG.format(site=site)), "-p", str(site.home)]


CONTENDERS = (
    Contender(
        proxy="nginx",
        program=partial(from_debian, "nginx", "nginx-core"),
        command=command,
        version=("-v",),
    ),
)
