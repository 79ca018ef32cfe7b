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
}
for _name, _text in _COMMANDS.items():
    app.command(f"upswing.cli.law_{_name}:{_name}", name=_name, help=_text)
