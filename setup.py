"""Compiles what every request passes through, where the machine can; pyproject.toml has the rest.

The sources stay as they are and run without it too. An editable installation is not compiled, so
that what one edits is what runs. PENSTOCK_COMPILE=0 leaves compiling out, PENSTOCK_COMPILE=1 makes
a failure of it one of the build.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

COMPILED = [
    "actions/jose/base64url.py",
    "actions/jose/key_set.py",
    "actions/jose/signature.py",
    "actions/jose/strict_json.py",
    "actions/jose/token.py",
    "actions/jwt_validation/asked.py",
    "actions/jwt_validation/claims.py",
    "actions/jwt_validation/decision.py",
    "actions/jwt_validation/key_source.py",
    "actions/jwt_validation/presented.py",
    "actions/jwt_validation/verification.py",
    "actions/login/standing.py",
    "policy/compiled.py",
    "policy/continuation.py",
    "policy/cookies.py",
    "policy/engine.py",
    "policy/exchange.py",
    "policy/fields.py",
    "policy/forwarding.py",
    "policy/net.py",
    "policy/own_cookies.py",
    "policy/own_paths.py",
    "policy/stretch.py",
    "policy/url.py",
    "proxy/arrival.py",
    "proxy/completion.py",
    "proxy/deadlines.py",
    "proxy/documents.py",
    "proxy/downstream.py",
    "proxy/effects.py",
    "proxy/endpoint.py",
    "proxy/exchange_driver.py",
    "proxy/http1/body.py",
    "proxy/http1/grammar.py",
    "proxy/http1/recurring.py",
    "proxy/http1/request_head.py",
    "proxy/http1/response_head.py",
    "proxy/live_stream.py",
    "proxy/message.py",
    "proxy/open_connections.py",
    "proxy/reception.py",
    "proxy/request_body.py",
    "proxy/response_writer.py",
    "proxy/service.py",
    "proxy/upstream.py",
    "proxy/upstream_pool.py",
    "proxy/upstream_request.py",
    "proxy/upstream_side.py",
    "proxy/waiting_phase.py",
    "proxy/websocket.py",
    "proxy/websocket_frames.py",
    "proxy/websocket_mask.py",
    "proxy/websocket_relay.py",
]
WANTED = os.environ.get("PENSTOCK_COMPILE", "")


class AllOrNothing(build_ext):
    """Compiled modules know of one another: without one of them the others are of no use."""

    def build_extensions(self) -> None:
        """Compile, and leave the sources alone where that fails and nobody insists on it."""
        try:
            super().build_extensions()
        except (BaseError, CCompilerError) as error:
            not_compiled(error)
            for output in self.get_outputs():
                Path(output).unlink(missing_ok=True)
            self.extensions = []


def extensions() -> list[Extension]:
    """Translate the modules to C, in the commands that go on to compile them."""
    if WANTED == "0" or not {"bdist_wheel", "build_ext"}.intersection(sys.argv):
        return []
    # Here, because other commands can do without.
    from mypyc.build import mypycify

    # How the project checks its types is another matter, with other requirements.
    options = ["--config-file=", "--ignore-missing-imports"]
    try:
        return mypycify(
            [*options, *COMPILED], opt_level="2", debug_level="0", group_name="penstock"
        )
    except SystemExit as error:
        # So it ends where a version of it, or of Python, is of another opinion than ours.
        not_compiled(error)
        return []


def not_compiled(error: BaseException) -> None:
    """Go on without; raises the error where somebody insists on it."""
    if WANTED == "1":
        raise error
    sys.stderr.write(f"not compiled, which is slower and no less right: {error}\n")


setup(ext_modules=extensions(), cmdclass={"build_ext": AllOrNothing})
