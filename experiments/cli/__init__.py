"""The ``nas`` command. Data goes to stdout, talk to stderr; heavy packages load inside the verbs that need them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
import typer

from search_spaces.errors import NasError

app = typer.Typer(
    name="nas",
    help="Neural architecture search and model scaling in one: train one supernetwork, learn each GPU's latency, "
    "search the trade-off, scale and export the winners.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    context: typer.Context,
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No talk on stderr, only warnings and errors."),
) -> None:
    """Take the options of every verb."""
    context.obj = {"debug": debug, "quiet": quiet}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 ok, 1 failure, 2 usage, 3 conflict, 4 storage, 5 partial, 130 interrupted."""
    # Threads that wait by spinning make two busy processes on one machine many times slower than twice.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str]) -> int:
    from experiments.cli import verbs

    verbs.load()
    try:
        result = app(args=list(arguments), prog_name="nas", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        print("nas: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except NasError as error:
        if "--debug" in arguments:
            raise
        print(f"nas: {error}", file=sys.stderr)
        return error.exit_code
