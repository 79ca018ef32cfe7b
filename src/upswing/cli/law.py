"""``upswing law``: emergence laws: forecast an ability from finetuned models."""

from __future__ import annotations

from cyclopts import App

app = App(
    name="law",
    help="Emergence laws: forecast an ability from finetuned models.",
    result_action="return_value",
)

_COMMANDS = {
    "fit": "Fit the law and forecast where prompted models leave chance.",
    "convert": "Convert the loss at which an ability emerges to parameters, tokens or FLOP.",
    "compare": "Say which of two series of models gains an ability first.",
    "ablate": "Forecast again from parts of the data and by other laws.",
    "advance": "Say from how far before emergence a forecast succeeds.",
    "power": "Simulate a planned study: would its forecast be right, and how sure?",
    "plan": "Choose the finetuning runs to do next, within a budget.",
}
for _name, _text in _COMMANDS.items():
    app.command(f"upswing.cli.law_{_name}:{_name}", name=_name, help=_text)
