"""mitmproxy from PyPI, in reverse mode. Bodies are streamed: else it would hold event streams."""

from __future__ import annotations

from functools import partial

from bench.data_plane.contender import Contender
from bench.data_plane.installation import from_pypi
from bench.data_plane.site import Site


def command(program: str, site: Site) -> list[str]:
    """Return how it is started."""
    files = (site.certificate.chain, site.certificate.private_key)
    pem = site.write("site.pem", "".join(each.read_text("ascii") for each in files))
    upstream = f"reverse:http://127.0.0.1:{site.upstream}"
    return [
        program, "--quiet", "--mode", f"{upstream}@127.0.0.1:{site.port}",
        "--mode", f"{upstream}@127.0.0.1:{site.tls_port}", "--certs", f"*={pem}",
        "--set", f"confdir={site.home}", "--set", "stream_large_bodies=1",
        "--set", "keep_host_header=true", "--set", "flow_detail=0",
    ]  # fmt: skip


CONTENDERS = (
    Contender(
        proxy="mitmproxy", program=partial(from_pypi, "mitmdump", "mitmproxy"), command=command
    ),
)
