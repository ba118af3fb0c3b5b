"""The `penstock` command: every subcommand by name, and how it ends.

Exit codes: 0 fine, 1 the answer is no (a document has problems, a port is taken), 2 misuse.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Annotated

import typer

from penstock import check, demo, http, saml, start
from penstock.doctor import doctor
from penstock.eval import evaluate_request
from penstock.people import identities, sessions
from policy.problem import PolicyError
from proxy.failure import Failure

COMMANDS: Mapping[str, Callable[..., None]] = {
    "http": http.http,
    "start": start.start,
    "check": check.check,
    "eval": evaluate_request,
    "demo": demo.demo,
    "doctor": doctor,
}
GROUPS: Mapping[str, Callable[[], typer.Typer]] = {
    "sessions": sessions.build_app,
    "identities": identities.build_app,
    "saml": saml.build_app,
}


def build_app() -> typer.Typer:
    """Make the command line out of its commands."""
    app = typer.Typer(
        name="penstock",
        no_args_is_help=True,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(options)
    for name, command in COMMANDS.items():
        app.command(name)(command)
    for name, build in GROUPS.items():
        app.add_typer(build(), name=name)
    return app


def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Decide what reaches your own services, request by request."""
    if version:
        typer.echo(f"penstock {metadata.version('penstock')}")
        raise typer.Exit


def main() -> None:
    """Run one command. Never returns: the process ends with its exit code."""
    try:
        build_app()(prog_name="penstock")
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
