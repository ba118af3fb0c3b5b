"""Caddy from Debian, without rules and with ten CEL matchers that decide what `ten.yml` decides."""

from __future__ import annotations

from functools import partial

from bench.data_plane.contender import NO_RULES, TEN_RULES, Contender
from bench.data_plane.installation import from_debian
from bench.data_plane.site import Site

CONFIG = """
{{
  admin off
  auto_https off
  log default {{
    level ERROR
  }}
}}
(site) {{
  {rules}
  reverse_proxy 127.0.0.1:{site.upstream} {{
    transport http {{
      keepalive_idle_conns_per_host 64
    }}
  }}
}}
http://:{site.port} {{
  bind 127.0.0.1
  import site
}}
https://:{site.tls_port} {{
  bind 127.0.0.1
  tls {site.certificate.chain} {site.certificate.private_key}
  import site
}}
"""
CEL_RULES = """
  @addresses expression `remote_ip('192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32')`
  respond @addresses 403
  @dotfiles expression `{path}.startsWith('/.git')`
  respond @dotfiles 404
  @admin expression `{path}.startsWith('/admin') && {remote_host} != '10.0.0.1'`
  respond @admin 403
  @deletes expression `{method} == 'DELETE' && {path}.startsWith('/api/')`
  respond @deletes 405
  @scanners expression `{header.User-Agent}.matches('(?i)sqlmap|nikto|masscan')`
  respond @scanners 403
  @crosssite expression `{method} == 'POST' && {header.Sec-Fetch-Site} == 'cross-site'`
  respond @crosssite 403
  @moved expression `{path} == '/old'`
  redir @moved /new
  @beta expression `{header.X-Beta} != '' && {path}.startsWith('/beta')`
  vars @beta beta yes
  @api expression `{path}.startsWith('/api/')`
  request_header @api X-Guarded-By penstock
  @answered expression `{method} != 'OPTIONS'`
  header @answered -Server
"""


def command(rules: str, program: str, site: Site) -> list[str]:
    """Return how it is started with some rules."""
    config = site.write("Caddyfile", CONFIG.format(site=site, rules=rules))
    return [program, "run", "--adapter", "caddyfile", "--config", config]


CONTENDERS = tuple(
    Contender(
        proxy="caddy",
        rules=rules,
        program=partial(from_debian, "caddy", "caddy"),
        command=partial(command, text),
        version=("version",),
    )
    for rules, text in ((NO_RULES, ""), (TEN_RULES, CEL_RULES))
)
