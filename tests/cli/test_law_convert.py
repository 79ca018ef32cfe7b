"""``upswing law convert`` as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from upswing.cli import run
from upswing.laws.loss.law import LossLaw
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning


@pytest.fixture
def models(tmp_path):
    params = np.geomspace(1e8, 1e10, 8)
    loss = LossLaw(("params",), 1.5, (40.0,), (0.2,)).predict(params=params)
    path = tmp_path / "models.csv"
    pl.DataFrame({"params": params, "tokens": [2e10] * 8, "loss": loss}).write_csv(path)
    return str(path)


def test_the_inferred_pairs_say_that_they_are(capsys):
    assert run(["law", "convert", "--llama2", "--elbow", "1.361", "--format", "json"]) == 0
    out = capsys.readouterr()
    found = json.loads(out.out)["conversions"][0]
    assert 300e9 <= found["mle"] <= 350e9
    assert "INFERRED" in out.err
    assert run(["law", "convert", "--llama2", "--elbow", "1.361", "--strict"]) == 2


def test_several_elbows_and_units(models, capsys):
    options = ["--elbow", "1.9", "1.4", "--to", "params", "flops", "--tokens", "2e10"]
    assert run(["law", "convert", models, *options, "--resamples", "50", "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("unit,elbow,status,mle,q05")
    assert [line.split(",")[2] for line in lines[1:]] == ["converted"] * 2 + ["beyond reach"] * 2


def test_the_table_shows_the_law_and_the_elbow(models, capsys):
    assert run(["law", "convert", models, "--elbow", "1.9", "--resamples", "50"]) == 0
    out = capsys.readouterr()
    assert "converted" in out.out
    assert "1.5 + 40 params^-0.2" in out.err


def test_the_curve_is_printed_for_charts(models, capsys):
    options = ["--elbow", "1.9", "--resamples", "20", "--curve", "--format", "csv"]
    assert run(["law", "convert", models, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "elbow,unit,value,loss,cdf,cdf_low,cdf_high,extrapolated"
    assert len(lines) > 100


def test_finetuned_models_are_forecast_first(tmp_path, capsys):
    frame = simulate_finetuning(FinetuningWorld(draws=2), np.random.default_rng(3), gap=None)
    path = tmp_path / "finetunes.csv"
    frame.write_csv(path)
    options = ["--finetunes", str(path), "--resamples", "20", "--before", "1.98"]
    options += ["--intervals", "iid", "--law", "flops"]
    assert run(["law", "convert", *options, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["conversions"][0]
    assert found["unit"] == "flops"
    assert found["q05"] < found["q50"] < found["q95"]
    strongest = frame.filter(pl.col("loss") > 1.98)["flops"].max()
    assert found["strongest_used"] == strongest
    assert found["lead"] == pytest.approx(found["mle"] / strongest)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--llama2"], "no elbow to convert (give --elbow"),
        (["--elbow", "2"], "no models to fit the loss law to"),
        (["PATH", "--llama2", "--elbow", "2"], "--llama2 takes the place of a file"),
        (["--llama2", "--elbow", "2", "--law", "tokens"], "no law of tokens with --llama2"),
        (["--llama2", "--elbow", "2", "--compute-optimal"], "no law of params-tokens"),
        (["PATH", "--elbow", "2", "--resamples", "-1"], "-1 resamples"),
        (["PATH", "--elbow", "2", "--to", "flops"], "does not say flops by itself"),
        (["PATH", "--elbow", "2", "--tokens", "1e9", "--tokens-per-param", "20"], "two ways"),
        (["PATH", "--elbow", "2", "--law", "params-tokens"], "1 different values of tokens"),
        (["PATH", "--elbow", "-2"], "an elbow of -2"),
        (["nowhere.csv", "--elbow", "2"], "no such file"),
    ],
)
def test_errors_are_one_line_with_a_way_out(models, options, message, capsys):
    assert run(["law", "convert", *(models if o == "PATH" else o for o in options)]) == 1
    err = capsys.readouterr().err.strip()
    assert message in err.replace("\n", " ")
    assert err.startswith("upswing: ")
    assert "(" in err or "no such file" in err
