"""Tables, shifts and the hierarchical posterior against direct integration and Markov chains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from laws.emergence.worlds import rows_of
from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence import hierarchy
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.law import EmergenceForm
from upswing.laws.emergence.objective import ABOVE, BELOW
from upswing.laws.emergence.posterior import PERCENTILES, independent_posterior
from upswing.laws.emergence.prior import EmergencePrior
from upswing.laws.emergence.quadrature import elbow_grid, log_sum
from upswing.laws.emergence.tables import ElbowTables, Nuisance, question_variance, shift_kernel

ENDS = np.array([0.05, 0.95])
GRID = np.linspace(1.8, 2.5, 29)
CAPPED = EmergenceForm(cap=True)


def nodes_of(run_sd=0.0, top=0.6, base=0.25, noise=0.008, ramp=0.2):
    return Nuisance(*(np.array([v]) for v in (top, base, noise, ramp, run_sd)))


def expected(beyond, node, form):
    """Return the score at nats beyond the elbow, written out."""
    if form.cap:
        done = np.clip(beyond / node.ramp[0], 0.0, 1.0)
        return node.base[0] + (node.top[0] - node.base[0]) * done
    return node.base[0] + node.top[0] * np.maximum(beyond, 0.0)


@pytest.mark.parametrize("form", [EmergenceForm(), CAPPED], ids=str)
def test_tables_are_likelihoods(form):
    rows = rows_of(draws=2)
    fitted = fit_emergence(rows).fitted
    node = nodes_of(top=0.33 if form.cap else 0.6)
    tables = ElbowTables(rows, form, fitted, GRID, 0.1)
    found = tables.subsets(node)[:, :, 0]
    sd = np.sqrt(question_variance(rows, fitted) + node.noise[0] ** 2)
    for subset in (0, 7):
        here = rows.subset == subset
        for i in (3, 17, 26):
            mean = expected(GRID[i] - rows.loss[here], node, form)
            direct = stats.norm.logpdf(rows.value[here], mean, sd[here]).sum()
            assert found[subset, i] == pytest.approx(direct)


@pytest.mark.parametrize("run_sd", [0.03, 0.3])
@pytest.mark.parametrize("form", [EmergenceForm(), CAPPED], ids=str)
def test_shifts_per_run_are_integrated_exactly(form, run_sd):
    rows = rows_of(seeds=2, run_sd=0.05, amounts=(256, 2048))
    fitted = fit_emergence(rows).fitted
    node = nodes_of(run_sd, top=0.33 if form.cap else 0.6)
    found = ElbowTables(rows, form, fitted, GRID, 0.1).subsets(node)[1, 15, 0]
    variance = question_variance(rows, fitted) + node.noise[0] ** 2
    here = rows.subset == 1
    z = np.linspace(-9, 9, 40_001)[:, None]
    mean = expected(GRID[15] + run_sd * z - rows.loss[here], node, form)
    density = stats.norm.pdf(rows.value[here], mean, np.sqrt(variance[here])) * stats.norm.pdf(z)
    direct = np.log(integrate.trapezoid(density, z[:, 0], axis=0)).sum()
    assert found == pytest.approx(direct, abs=1e-4)


def test_the_base_of_prompted_models_is_integrated_exactly():
    rows = rows_of(prompted="used", delta=0.03)
    fitted = fit_emergence(rows).fitted
    node = nodes_of()
    found = ElbowTables(rows, EmergenceForm(), fitted, GRID, 0.05).prompted(node)[9, 0]
    prompted = rows.prompted
    sd = np.sqrt(question_variance(rows, fitted)[rows.few_shot] + node.noise[0] ** 2)
    rise = 0.6 * np.maximum(GRID[9] - prompted.loss, 0.0)

    def density(base):
        like = np.exp(stats.norm.logpdf(prompted.value, base + rise, sd).sum())
        return like * stats.norm.pdf(base, 0.25, 0.05)

    assert found == pytest.approx(np.log(integrate.quad(density, 0.2, 0.35)[0]), abs=1e-6)


@pytest.mark.parametrize("sd", [0.0, 0.004, 0.05])
def test_the_kernel_moves_a_bump_as_a_normal_shift_does(sd):
    grid = np.linspace(-1.0, 1.0, 401)
    bump = np.exp(-0.5 * (grid / 0.1) ** 2)
    width = np.hypot(0.1, sd)
    mixed = 0.1 / width * np.exp(-0.5 * (grid / width) ** 2)
    assert shift_kernel(grid, sd) @ bump == pytest.approx(mixed, abs=4e-4)
    assert shift_kernel(grid, sd).sum(axis=1) == pytest.approx(1.0)


def chain(rows, mle, steps=1500, walkers=28):
    """Sample the model with shifts integrated on a plain grid; return forecasts."""
    emcee = pytest.importorskip("emcee")
    prior = EmergencePrior()
    rng = np.random.default_rng(0)
    variance, scale = question_variance(rows, mle.fitted), np.ptp(rows.value)
    low_edge, high_edge = rows.loss.min() - BELOW, rows.loss.max() + ABOVE
    z = np.linspace(-4, 4, 61)
    log_z = stats.norm.logpdf(z) - np.log(stats.norm.pdf(z).sum())
    onto = np.eye(rows.subset.max() + 1)[rows.subset]

    def log_density(x):
        low, high, root, log_slope, base, log_noise, sd = x.T
        inside = (root >= 0.5) & (root <= np.sqrt(8.0)) & (low <= high) & (sd > 0)
        inside &= (low >= low_edge) & (high <= high_edge)
        positions = rows.positions(np.clip(root, 0.5, 3.0) ** 2, mle.form)
        elbows = low[:, None] + (high - low)[:, None] * positions
        shifted = elbows[:, None, rows.level] + sd[:, None, None] * z[:, None]
        rise = np.exp(log_slope)[:, None, None] * np.maximum(shifted - rows.loss, 0.0)
        noise = np.exp(log_noise)
        total = (variance + noise[:, None] ** 2)[:, None]
        miss = rows.value - base[:, None, None] - rise
        each = (-0.5 * (miss**2 / total + np.log(total))) @ onto + log_z[:, None]
        peak = each.max(axis=1, keepdims=True)
        value = (peak[:, 0] + np.log(np.exp(each - peak).sum(axis=1))).sum(axis=1)
        value += log_slope + log_noise - np.log1p((noise / (prior.noise * scale)) ** 2)
        return np.where(inside, value - 0.5 * (sd / prior.subset_sd) ** 2, -np.inf)

    curves = mle.curves
    centre = [*mle.theta[:2], mle.theta[2] ** 0.5, np.log(curves.slope), curves.base, -6.0, 0.02]
    spread = np.array([0.005, 0.005, 0.05, 0.02, 0.001, 0.3, 0.004])
    start = centre + spread * rng.standard_normal((walkers, 7))
    start[:, 2], start[:, 6] = np.clip(start[:, 2], 0.51, 2.8), np.abs(start[:, 6])
    start[:, 1] = np.maximum(start[:, 0] + 0.01, start[:, 1])
    sampler = emcee.EnsembleSampler(walkers, 7, log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(start, steps)
    samples = sampler.get_chain(discard=steps // 3, flat=True)
    d0 = rows.positions(samples[:, 2] ** 2, mle.form)[:, -1]
    return samples[:, 0] + (samples[:, 1] - samples[:, 0]) * d0


def test_percentiles_are_those_of_a_chain():
    rows = rows_of(3, amounts=(64, 512, 4096), draws=2, subset_sd=0.02)
    rows = rows.where(rows.checkpoint % 2 == 0)
    mle = fit_emergence(rows)
    ours = hierarchical_posterior(rows, mle).quantile(np.array(PERCENTILES))
    theirs = np.quantile(chain(rows, mle), PERCENTILES)
    assert ours == pytest.approx(theirs, abs=0.08 * (theirs[-1] - theirs[0]))


def test_shifts_between_subsets_are_seen_and_widen_the_interval():
    rows = rows_of(1, draws=4, subset_sd=0.03)
    mle = fit_emergence(rows)
    shifted, plain = hierarchical_posterior(rows, mle), independent_posterior(rows, mle)
    assert shifted.means["subset_sd"] == pytest.approx(0.03, abs=0.01)
    assert np.ptp(shifted.quantile(ENDS)) > 2.0 * np.ptp(plain.quantile(ENDS))


def test_without_shifts_several_draws_say_so():
    rows = rows_of(1, draws=4)
    found = hierarchical_posterior(rows, fit_emergence(rows))
    assert found.means["subset_sd"] < 0.005
    assert found.means["run_sd"] == 0.0


def test_bimodal_runs_are_steep_curves_that_set_in_at_different_places():
    """As in the lab: one seed learns the task, the next does not. Least squares sees a blur."""
    rows = rows_of(0, seeds=3, run_sd=0.3, slope=5.0, cap=0.9, amounts=(256, 1024, 8192))
    rows = rows.where(rows.checkpoint % 2 == 0)
    mle = fit_emergence(rows, CAPPED)
    found = hierarchical_posterior(rows, mle)
    assert found.means["run_sd"] == pytest.approx(0.3, abs=0.1)
    assert found.means["top"] == pytest.approx(0.9, abs=0.02)
    assert found.means["noise"] < 0.02
    low, high = found.quantile(ENDS)
    assert low < 1.95 < high


@pytest.mark.parametrize("form", [CAPPED, EmergenceForm(floors=True)], ids=str)
def test_variants_hold_the_truth(form):
    rows = rows_of(1, cap=0.35 if form.cap else None, floor_rise=0.1 * form.floors, draws=2)
    low, high = hierarchical_posterior(rows, fit_emergence(rows, form)).quantile(ENDS)
    assert low < 1.95 < high
    assert high - low < 0.5


def test_without_noise_the_posterior_is_at_the_truth():
    rows = rows_of(noise=0.0, draws=2)
    low, high = hierarchical_posterior(rows, fit_emergence(rows)).quantile(ENDS)
    assert low < 1.95 < high
    assert high - low < 0.05


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", [EmergenceForm(), CAPPED], ids=str)
def test_scores_without_any_known_noise_give_no_warning(form):
    """Log-probabilities have no number of questions; noise of 0 was then divided by."""
    cap = 0.35 if form.cap else None
    rows = rows_of(noise=0.0, seeds=2, cap=cap, amounts=(256, 8192), prompted="used")
    rows = rows.where(rows.checkpoint % 2 == 0)
    assert np.isnan(rows.questions).all()
    found = hierarchical_posterior(rows, fit_emergence(rows, form))
    assert np.isfinite(found.weight).all()
    assert found.weight.sum() == pytest.approx(1.0)
    assert np.isfinite(list(found.means.values())).all()
    low, high = found.quantile(ENDS)
    assert low - 0.01 < 1.95 < high + 0.01


@pytest.mark.filterwarnings("error")
def test_priors_may_be_narrow_without_a_warning():
    rows = rows_of(1, draws=2, amounts=(256, 1024, 8192))
    prior = EmergencePrior(subset_sd=1e-4, noise=1e-3)
    found = hierarchical_posterior(rows, fit_emergence(rows), prior)
    assert found.means["subset_sd"] < 1e-3


def test_splines_over_elbows_lose_nothing():
    rows = rows_of(seeds=2, run_sd=0.05, draws=2)
    fitted = fit_emergence(rows).fitted
    grid = elbow_grid(float(rows.loss.min()), float(rows.loss.max()), 2.3, 320)
    node = nodes_of(0.04)
    tables = ElbowTables(rows, EmergenceForm(), fitted, grid, 0.1)
    found = tables.subsets(node)[:, :, 0]
    bases = np.full((12, 1), 0.25)[:, 0]
    every = tables._shifted(node, bases, 0, grid) @ np.eye(12)[rows.subset]
    near = every > every.max(axis=0) - 30.0
    assert found.T[near] == pytest.approx(every[near], abs=0.02)
    assert len(tables._sparse(0.04)[0]) < 0.4 * len(grid)


def test_sums_of_logarithms_are_those_of_scipy():
    from scipy.special import logsumexp

    log = np.array([[-5000.0, -5001.0], [-np.inf, 3.0], [-np.inf, -np.inf]])
    for axis in (0, 1):
        assert log_sum(log, axis) == pytest.approx(logsumexp(log, axis=axis))


@pytest.mark.slow
def test_a_larger_ball_of_nuisance_parameters_changes_nothing_in_the_lab(monkeypatch):
    """Runs of two kinds make long ridges, which once were cut off and not followed."""
    from upswing import read_lab_results

    table = finetune_table(
        read_lab_results(), task="addition-2", metric="acc", family="char-v1", method="full"
    )
    rows = table.rows(2)
    mle = fit_emergence(rows, CAPPED)
    ours = hierarchical_posterior(rows, mle).quantile(ENDS)
    monkeypatch.setitem(hierarchy._RADIUS, 5, 3.5)
    assert hierarchical_posterior(rows, mle).quantile(ENDS) == pytest.approx(ours, abs=0.01)


def test_intervals_hold_the_truth_where_subsets_are_lucky():
    """A 90 % interval misses four or more of twelve worlds one time in forty.

    Intervals that take scores for independent miss more than half of these.
    """
    inside = plain = 0
    for seed in range(12):
        rows = rows_of(500 + seed, subset_sd=0.03, draws=2)
        rows = rows.where(rows.checkpoint % 2 == 0)
        mle = fit_emergence(rows)
        low, high = hierarchical_posterior(rows, mle).quantile(ENDS)
        inside += bool(low < 1.95 < high)
        low, high = independent_posterior(rows, mle).quantile(ENDS)
        plain += bool(low < 1.95 < high)
    assert inside >= 9
    assert plain < 9


def test_random_prompted_models_keep_the_elbow_below_them():
    rows = rows_of(1, prompted="used")
    both, without = (
        hierarchical_posterior(some, fit_emergence(some)).quantile(0.95)
        for some in (rows, rows.finetuned)
    )
    assert both < without - 0.03


def test_an_elbow_below_all_losses_is_not_held_to_be_at_the_lowest():
    """A subset may be lucky: the law's elbow can be further away than any loss."""
    rows = rows_of(3, amounts=(64, 512, 4096), draws=2, subset_sd=0.02)
    low, high = float(rows.loss.min()), float(rows.loss.max())
    grid = elbow_grid(low, high, high, 320)
    assert grid[0] == pytest.approx(rows.loss.min() - BELOW)
    tables = ElbowTables(rows, EmergenceForm(), fit_emergence(rows).fitted, grid, 0.1)
    like = np.exp(tables.subsets(nodes_of())[0, :, 0])
    mixed = np.log(shift_kernel(grid, 0.03) @ like)
    at, below = np.interp(rows.loss.min() - np.array([0.0, 0.1]), grid, mixed)
    assert below < at - 3.0
