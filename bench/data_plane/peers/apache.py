"""Apache httpd from Debian, its event MPM, one process."""

from __future__ import annotations

import os
from functools import partial

from bench.data_plane.contender import Contender
from bench.data_plane.installation import from_debian
from bench.data_plane.site import Site

MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http", "ssl", "socache_shmcb")
CONFIG = """
ServerRoot {site.home}
PidFile {site.home}/apache.pid
DefaultRuntimeDir {site.home}
ServerName app.example.com
ErrorLog {site.home}/error.log
LogLevel crit
{user}
{modules}
Listen 127.0.0.1:{site.port}
Listen 127.0.0.1:{site.tls_port} https
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
MaxConnectionsPerChild 0
KeepAlive On
KeepAliveTimeout 60
MaxKeepAliveRequests 0
ProxyPass "/api/events" "http://127.0.0.1:{site.upstream}/api/events" flushpackets=on
ProxyPass "/" "http://127.0.0.1:{site.upstream}/" upgrade=websocket
ProxyPreserveHost On
<VirtualHost 127.0.0.1:{site.tls_port}>
  SSLEngine on
  SSLCertificateFile {site.certificate.chain}
  SSLCertificateKeyFile {site.certificate.private_key}
  ProxyPass "/" "http://127.0.0.1:{site.upstream}/"
</VirtualHost>
"""


def command(program: str, site: Site) -> list[str]:
    """Return how it is started."""
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES
    )
    # It refuses to serve as root.
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    config = CONFIG.format(site=site, modules=modules, user=user)
    return [program, "-DFOREGROUND", "-f", site.write("apache.conf", config)]


CONTENDERS = (
    Contender(
        proxy="apache2",
        program=partial(from_debian, "apache2", "apache2"),
        command=command,
        version=("-v",),
    ),
)
