"""``upswing mirage``: is it the metric, the test set, or a real jump?"""

from __future__ import annotations

from cyclopts import App

app = App(
    name="mirage",
    help="Is it the metric, the test set, or a real jump?",
    result_action="return_value",
)

_COMMANDS = {
    "check": "Is each jump the metric, the test set, or real?",
    "pair": "One curve beside another metric or format of the same questions.",
    "meta": "Emergence scores over many tasks, metrics and families, with base rates.",
    "model": "The curves of every metric when only the loss falls smoothly.",
}
for _name, _text in _COMMANDS.items():
    app.command(f"upswing.cli.mirage_{_name}:{_name}", name=_name, help=_text)
