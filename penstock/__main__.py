"""The `penstock` command: every subcommand by name, and how it ends.

Exit codes: 0 fine, 1 the answer is no (a document has problems, a port is taken), 2 misuse.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final

import typer

from policy.problem import PolicyError
from proxy.failure import Failure

# Where each command is: only the one that is asked for is imported, which saves the proxy half of
# its start and a fifth of its memory.
COMMANDS: Final[Mapping[str, str]] = {
    "http": "penstock.http:http",
    "start": "penstock.start:start",
    "check": "penstock.check:check",
    "eval": "penstock.eval:evaluate_request",
    "demo": "penstock.demo:demo",
    "doctor": "penstock.doctor:doctor",
}
GROUPS: Final[Mapping[str, str]] = {
    "sessions": "penstock.people.sessions:build_app",
    "identities": "penstock.people.identities:build_app",
    "saml": "penstock.saml:build_app",
}


def build_app(asked: str | None = None) -> typer.Typer:
    """Make the command line out of its commands: the one asked for, or all of them."""
    names = {asked} if asked in COMMANDS or asked in GROUPS else {*COMMANDS, *GROUPS}
    app = typer.Typer(
        name="penstock",
        no_args_is_help=True,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(options)
    for name, place in COMMANDS.items():
        if name in names:
            app.command(name)(imported(place))
    for name, place in GROUPS.items():
        if name in names:
            app.add_typer(imported(place)(), name=name)
    return app


def imported(place: str) -> Any:
    """Return what stands at `module:name`."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Decide what reaches your own services, request by request."""
    if version:
        # With it come the libraries for e-mail and for archives, which a proxy may not need.
        from importlib import metadata

        # One module tells for all: they are compiled together or not at all.
        origin = getattr(find_spec("policy.url"), "origin", None) or ""
        compiled = "" if origin.endswith(".py") else " (compiled)"
        typer.echo(f"penstock {metadata.version('penstock')}{compiled}")
        raise typer.Exit


def main() -> None:
    """Run one command. Never returns: the process ends with its exit code."""
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else None)(prog_name="penstock")
    except (PolicyError, Failure) as error:
        end(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # `penstock check | head`: the reader left; a second write at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the last stop: a user gets one line, not a stack
        if os.environ.get("PENSTOCK_TRACEBACK"):
            traceback.print_exc()
        end(
            f"penstock: internal error: {type(error).__name__}: {error}\n"
            "        this is a bug in Penstock; set PENSTOCK_TRACEBACK=1 and report what it shows"
        )


def end(message: str) -> None:
    """Say why on standard error and end with exit code 1."""
    sys.stderr.write(message + "\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
