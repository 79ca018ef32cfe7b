"""The commands of ``upswing``, each loaded when it is called."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError
from cyclopts.config import Toml

from upswing.cli.options import INVOCATION, STDIN
from upswing.errors import InputError
from upswing.version import __version__

_COMMANDS = {
    "report": "Verdicts and one self-contained HTML report from results in any format.",
    "detect": "A table of verdicts: which abilities emerged, where, how sure.",
    "ingest": "Read results into a store, a folder of Parquet files.",
    "rescore": "Further metrics from saved questions, without running a model.",
    "ls": "List what is in results or a store: families, models, tasks.",
    "validate": "Check results and list what is odd about them; exit 2 on warnings.",
    "demo": "The main job on results that come with Upswing; needs no network.",
    "doctor": "Versions, tools and folders, for bug reports.",
    "cite": "BibTeX of the methods and data behind a result.",
}


def make_app(arguments: Sequence[str]) -> int | None:
    """Parse ``arguments`` and run the command they name.

    Raises
    ------
    InputError
        If the arguments make no sense.
    """
    INVOCATION.set(tuple(arguments))
    arguments, config = _take_config(list(arguments))
    # A lone dash looks like an option to the parser; the reader knows it under this name too.
    arguments = [STDIN if argument == "-" else argument for argument in arguments]
    app = App(
        name="upswing",
        help="Detect, explain and forecast emergent abilities of language models.",
        version=__version__,
        config=config,
        result_action="return_value",
    )
    for name, text in _COMMANDS.items():
        app.command(f"upswing.cli.{name}:{name}", name=name, help=text)
    app.command("upswing.cli.data:app", name="data", help="Public data sets: list, pull, path.")
    app.command("upswing.cli.lab:app", name="lab", help="Experiments: train a ladder of models.")
    app.command("upswing.cli.mirage:app", name="mirage", help="Metric, test size, or a real jump.")
    app.command(
        "upswing.cli.difficulty:app", name="difficulty", help="Easy and hard questions apart."
    )
    app.command("upswing.cli.law:app", name="law", help="Forecast an ability from finetuning.")
    try:
        result = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise InputError(str(error), hint="see upswing --help") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the --config file is no valid TOML: {error}") from None
    return result if isinstance(result, int) else 0


def _take_config(arguments: list[str]) -> tuple[list[str], tuple[Toml, ...]]:
    """Take ``--config FILE`` out of the arguments; flags win over what the file says."""
    for i, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name != "--config":
            continue
        if not equals and i + 1 >= len(arguments):
            raise InputError("--config needs a file")
        path = value if equals else arguments[i + 1]
        if not Path(path).is_file():
            raise InputError("no such --config file", where=path)
        rest = arguments[:i] + arguments[i + (1 if equals else 2) :]
        return rest, (Toml(path, must_exist=True),)
    return arguments, ()
