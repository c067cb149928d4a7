"""The ``nas`` command. Data goes to stdout, talk to stderr; heavy packages load inside the verbs that need them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer

from search_spaces.errors import NasError

INTERRUPTED = 130

app = typer.Typer(
    name="nas",
    help="Neural architecture search and model scaling in one: train one supernetwork, learn each GPU's latency, "
    "search the trade-off, scale and export the winners.",
    pretty_exceptions_enable=False,
    add_completion=True,
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
        result = app(args=list(arguments or ["--help"]), prog_name="nas", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # The reader, as head, has enough (inside a verb, typer makes an exit of it); what is left in the buffer would
        # complain again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exception(error)
        return _tell(error)
    if result == INTERRUPTED:
        print("nas: interrupted; the same command goes on from here", file=sys.stderr)
    return result if isinstance(result, int) else 0


def _tell(error: Exception) -> int:
    """Print the one line of an error to stderr, and return its exit code."""
    if isinstance(error, NasError):
        line, code = str(error), error.exit_code
    elif isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        line = f"{error.format_message()} (see {context.command_path if context else 'nas'} --help)"
        code = error.exit_code
    elif isinstance(error, typer.Abort):
        line, code = "not confirmed: nothing was changed", 1
    else:
        line, code = f"{type(error).__name__}: {error} (a defect: nas --debug ... shows where)", 1
    print(f"nas: {' '.join(line.split())}", file=sys.stderr)
    return code
