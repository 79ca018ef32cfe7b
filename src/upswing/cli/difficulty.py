"""``upswing difficulty``: easy and hard questions apart: U-shapes, and forecasts from them."""

from __future__ import annotations

from cyclopts import App

app = App(
    name="difficulty",
    help="Easy and hard questions apart: U-shapes, and forecasts from them.",
    result_action="return_value",
)

_COMMANDS = {
    "groups": "Scores of groups of questions from easy to hard.",
    "sandwich": "Slice-and-Sandwich: forecast accuracy from the easy and the hard group.",
    "robustness": "That forecast over degrees of its polynomials, or over thresholds.",
    "shape": "Is a group U-shaped, beyond what sorting alone produces?",
    "onset": "Where the soar starts, from the easy group below a threshold.",
}
for _name, _text in _COMMANDS.items():
    app.command(f"upswing.cli.difficulty_{_name}:{_name}", name=_name, help=_text)
