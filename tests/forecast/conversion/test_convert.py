"""Elbows in nats to parameters, tokens and FLOP, with both uncertainties."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from upswing.errors import InputError
from upswing.forecast.comparison.elbow_distribution import (
    elbows_of_quantiles,
    weighted_elbows,
)
from upswing.forecast.conversion.convert import conversion_table, convert_elbow
from upswing.forecast.conversion.llama2 import fit_llama2
from upswing.forecast.conversion.source import forecast_elbow, read_models
from upswing.forecast.finetuning.emergence_forecast import QUANTILES
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.laws.loss.fit import fit_loss_law
from upswing.laws.loss.law import LossLaw
from upswing.laws.loss.path import TokenRule
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

LAW = LossLaw(("params",), 1.7, (400.0,), (0.34,))
"""Reaches 1.8 nats at (400 / 0.1) ** (1 / 0.34) parameters."""


def fit_of(noise=0.0, resamples=0, seed=0, form="params"):
    params = np.geomspace(1e8, 1e10, 10)
    error = np.exp(noise * np.random.default_rng(seed).standard_normal(len(params)))
    table = pl.DataFrame(
        {"params": params, "tokens": 20.0 * params, "loss": LAW.predict(params=params) * error}
    )
    return fit_loss_law(table, form, resamples=resamples, seed=seed)


def test_a_known_elbow_is_inverted_exactly():
    found = convert_elbow(1.8, fit_of())
    expected = 4000.0 ** (1 / 0.34)
    assert found.mle == pytest.approx(expected, rel=1e-3)
    assert set(found.quantiles.values()) == {found.mle}
    assert found.extrapolated_factor == pytest.approx(expected / 1e10, rel=1e-3)
    assert (found.status, found.p_beyond_reach, found.lead) == ("converted", 0.0, None)
    assert [note.code for note in found.notes] == ["tokens-differ", "no-law-uncertainty"]


def test_quantiles_of_the_elbow_are_inverted_in_reverse():
    quantiles = {"q05": 1.78, "q25": 1.80, "q50": 1.82, "q75": 1.83, "q95": 1.86}
    fit = fit_of()
    found = convert_elbow(elbows_of_quantiles(quantiles), fit)
    for share, name in (("q05", "q95"), ("q25", "q75"), ("q50", "q50"), ("q95", "q05")):
        # points stand in the middle of their mass, so a quantile is off by half a point
        assert found.quantiles[name] == pytest.approx(
            float(fit.inverse(quantiles[share])), rel=0.01
        )


def test_what_is_at_or_below_the_irreducible_loss_is_beyond_reach():
    elbow = weighted_elbows(np.array([1.6, 1.69, 1.75, 1.8, 1.9]))
    found = convert_elbow(elbow, fit_of())
    assert found.p_beyond_reach == pytest.approx(0.4)
    assert found.status == "partly beyond reach"
    assert found.quantiles["q75"] is None
    assert found.quantiles["q95"] is None
    assert found.quantiles["q50"] == pytest.approx(float(fit_of().inverse(1.75)), rel=1e-6)
    assert found.curve["cdf"].max() == pytest.approx(0.6)
    below = convert_elbow(1.6, fit_of())
    assert (below.status, below.mle, below.p_beyond_reach) == ("beyond reach", None, 1.0)
    assert below.curve["cdf"].max() == 0.0
    assert json.loads(below.to_json())["q50"] is None


def test_a_floor_known_apart_is_beyond_reach_too():
    found = convert_elbow(1.8, fit_of(), irreducible=1.8)
    assert found.status == "beyond reach"
    assert found.curve["cdf"].max() == 0.0


def test_the_law_s_own_uncertainty_is_mixed_in():
    fit = fit_of(noise=0.005, resamples=200)
    alone = convert_elbow(1.85, fit_of(noise=0.005))
    mixed = convert_elbow(1.85, fit)
    assert alone.quantiles["q05"] == alone.quantiles["q95"]
    each = fit.resampled
    with np.errstate(invalid="ignore", divide="ignore"):
        by_hand = np.exp(
            (each.log_coefficient[:, 0] - np.log(1.85 - each.irreducible)) / each.exponent[:, 0]
        )
    by_hand = np.sort(np.where(each.irreducible < 1.85, by_hand, np.inf))
    assert mixed.quantiles["q05"] == pytest.approx(np.quantile(by_hand, 0.05), rel=1e-3)
    assert mixed.quantiles["q50"] == pytest.approx(np.quantile(by_hand, 0.5), rel=0.01)
    assert mixed.p_beyond_reach == pytest.approx(np.mean(np.isinf(by_hand)))
    band = mixed.curve.filter((pl.col("cdf") > 0.2) & (pl.col("cdf") < 0.8))
    assert (band["cdf_low"] < band["cdf_high"]).all()


def test_the_curve_is_the_distribution_of_the_scale():
    rng = np.random.default_rng(0)
    elbow = weighted_elbows(rng.normal(1.85, 0.02, 5000))
    found = convert_elbow(elbow, fit_of(noise=0.003, resamples=100))
    curve = found.curve
    assert curve["cdf"].is_sorted()
    assert curve["loss"].is_sorted(descending=True)
    for name, share in (("q05", 0.05), ("q50", 0.5), ("q90", 0.9)):
        at = np.interp(np.log(found.quantiles[name]), np.log(curve["value"]), curve["cdf"])
        assert at == pytest.approx(share, abs=0.02)
    assert curve["extrapolated"].to_list() == (curve["value"] > 1e10).to_list()


def test_flops_and_the_lead_follow_the_token_rule():
    rule = TokenRule("per-parameter", 20.0)
    found = convert_elbow(1.9, fit_of(), "flops", rule, strongest_used=1e20)
    params = convert_elbow(1.9, fit_of())
    assert found.mle == pytest.approx(6 * 20 * params.mle**2)
    assert found.lead == pytest.approx(found.mle / 1e20)
    table = conversion_table([params, found])
    assert table["unit"].to_list() == ["params", "flops"]
    assert table["token_rule"].to_list() == ["", "20 tokens per parameter"]
    assert table["lead"].null_count() == 1


def test_far_extrapolation_is_told():
    found = convert_elbow(1.72, fit_of())
    assert "far-extrapolation" in [note.code for note in found.notes]


def test_bad_elbows_and_units_are_errors():
    with pytest.raises(InputError, match="an elbow of -1"):
        convert_elbow(-1.0, fit_of())
    with pytest.raises(InputError, match="no unit 'years'"):
        convert_elbow(1.8, fit_of(), "years")
    refused = fit_loss_law(pl.DataFrame({"params": [1e8, 1e9], "loss": [3.0, 2.0]}))
    with pytest.raises(InputError, match="no loss law could be fitted: 2 points"):
        convert_elbow(1.8, refused)


def test_the_inferred_pairs_of_llama_2_are_recovered():
    """A check of the conversion: the pairs are INFERRED from Snell et al. 2024."""
    fit = fit_llama2()
    found = {elbow: convert_elbow(elbow, fit).mle for elbow in (1.386, 1.361, 1.324)}
    assert 300e9 <= found[1.361] <= 350e9
    assert found[1.386] == pytest.approx(250e9, rel=0.02)
    assert found[1.324] == pytest.approx(500e9, rel=0.02)
    assert float(fit.predict(params=70e9)) == pytest.approx(1.507, abs=0.002)
    assert fit.law.exponents[0] == pytest.approx(0.0660, abs=0.0005)
    assert float(fit.predict(params=1e9)) == pytest.approx(1.996, abs=0.005)
    assert "llama2-inferred" in [note.code for note in convert_elbow(1.361, fit).notes]


def test_the_published_percentiles_of_apps_give_the_published_range():
    """Table 3's posterior of APPS, converted, is about 325B with 250 to 500B (figure 10)."""
    from upswing.sources.published.snell import read_snell_percentiles

    row = read_snell_percentiles().filter(pl.col("study") == "apps").row(0, named=True)
    elbow = elbows_of_quantiles({name: row[name] for name in QUANTILES})
    found = convert_elbow(elbow, fit_llama2(), most_likely=row["mle"])
    assert found.mle == pytest.approx(325e9, rel=0.02)
    assert found.quantiles["q05"] == pytest.approx(250e9, rel=0.03)
    assert found.quantiles["q95"] == pytest.approx(500e9, rel=0.03)


def test_a_refused_forecast_has_no_elbow_to_convert(tmp_path):
    path = tmp_path / "finetunes.csv"
    simulate_finetuning(FinetuningWorld(), np.random.default_rng(0)).head(3).write_csv(path)
    with pytest.raises(InputError, match="the forecast was refused"):
        forecast_elbow(str(path), EmergenceLaw(resamples=0))


def test_models_are_read_from_tables_and_readings(tmp_path):
    path = tmp_path / "models.csv"
    path.write_text("model,params,loss\na,1e8,3.0\nb,1e9,x\n")
    with pytest.raises(InputError, match=r"models.csv:3: column 'loss' holds 'x', not a number"):
        read_models(str(path))
    path.write_text("model,params,loss\na,1e8,3.0\nb,,2.5\n")
    frame, _ = read_models(str(path))
    assert frame["loss"].to_list() == [3.0, 2.5]
    path.write_text("model;params;loss\na;1e8;3.0\nb;;2.5\n")  # as some spreadsheets write it
    assert read_models(str(path))[0].drop("line").equals(frame.drop("line"))
    path.with_suffix(".parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises(InputError, match="no readable Parquet"):
        read_models(str(path.with_suffix(".parquet")))
    path.write_text(
        "model,family,params,task,metric,n_shot,value,n\nm,F,1e9,t,exact_match,0,0.5,9\n"
    )
    with pytest.raises(InputError, match="no loss is stated"):
        read_models(str(path))


def test_the_lab_s_ladder_has_a_loss_law():
    """Read as the command reads it; the law's largest models are inside its own prediction."""
    from upswing.lab.shipped import FOLDER

    frame, _ = read_models(str(FOLDER))
    fit = fit_loss_law(frame, "params", family="char-v1", resamples=200)
    assert not fit.refused
    largest = (
        frame.filter(pl.col("family") == "char-v1").sort("params", "tokens").row(-1, named=True)
    )
    smaller = fit_loss_law(
        frame.filter(pl.col("params") < largest["params"]), family="char-v1", resamples=0
    )
    predicted = float(smaller.predict(params=largest["params"]))
    assert predicted == pytest.approx(largest["loss"], abs=0.03)


@pytest.mark.data
def test_the_olmo_ladder_forecasts_its_7b_target(shared_data, tmp_path):
    """Ladder runs up to 1B (Bhagia et al. 2024, arXiv:2412.04403) against the 7B's C4 loss."""
    from upswing.sources.read import read

    runs = "allenai/OLMo-ladder@67a3f44/src/scripts/paper/data/ladder-runs"
    names = [
        f"{size}-{multiple}xC.csv"
        for size in ("190M", "370M", "1B")
        for multiple in ("1", "5", "10")
    ]
    scales = read([str(shared_data / runs / name) for name in names], items=False).scales
    fit = fit_loss_law(scales, "params-tokens", checkpoints="last", resamples=300)
    target = read(str(shared_data / runs / "peteish7_eval_full.csv"), items=False).scales
    last = target.sort("tokens").row(-1, named=True)
    low, high = fit.interval(params=last["params"], tokens=last["tokens"])
    assert low < last["loss"] < high
    found = convert_elbow(2.6, fit, "params", TokenRule("constant", last["tokens"]))
    assert found.quantiles["q05"] < last["params"]
