"""``upswing law fit --figure`` draws the fan."""

from __future__ import annotations

import numpy as np

from upswing.cli import run
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning


def test_the_fan_is_drawn(tmp_path, capsys):
    frame = simulate_finetuning(FinetuningWorld(draws=2), np.random.default_rng(3), None, "all")
    table, figure = tmp_path / "finetunes.csv", tmp_path / "fan.svg"
    frame.write_csv(table)
    options = ["--before", "1.98", "--resamples", "0", "--no-cap", "--intervals", "iid"]
    assert run(["law", "fit", str(table), *options, "--figure", str(figure)]) == 0
    assert "Forecast: leaves chance at" in figure.read_text(encoding="utf-8")
    assert "fan.svg" in capsys.readouterr().err
