"""10,000 simulations of the test-size null of one curve, beside a plain loop over the draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from threadpoolctl import threadpool_limits

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import emergence_score
from upswing.detection.evidence import Settings, fit_all
from upswing.detection.gain import gain_of
from upswing.detection.noise import MARGIN_SHARE
from upswing.detection.shape import smooth_test
from upswing.laws.quasi_likelihood import Noise
from upswing.mirage.null_simulation import DRAWS, null_simulation, smooth_fits
from upswing.simulate import simulate_curve, smooth_world

AIM = 1.0


def run() -> Iterator[str]:
    """Time one curve of 12 scales: scores, then likelihood ratios with their refits."""
    world = smooth_world(0.3, 3e9, 3)
    curve = simulate_curve(
        world, np.geomspace(2.1e6, 1.37e11, 12), 100, np.random.default_rng(0), 0.0, axis="params"
    )
    with threadpool_limits(1, "blas"):
        ours = _best(lambda: null_simulation(curve, sizes=()))
        yield f"{DRAWS:,} emergence scores per smooth form: {_aim(ours)}"
        loop = _best(lambda: _plain_loop(curve), 1)
        yield f"the same in a plain loop: {loop:.2f} s, {loop / ours:.0f} times as long"
        ratios = _best(lambda: _ratios(curve))
        yield f"{DRAWS:,} likelihood ratios per smooth form, all forms refitted: {ratios:.2f} s"


def _plain_loop(curve: Curve) -> None:
    """Draw and score one curve after the other."""
    gain = gain_of(curve)
    assert gain is not None
    rng = np.random.default_rng(0)
    for fit in smooth_fits(curve):
        noise = Noise(gain.n, fit.tau_squared, MARGIN_SHARE * gain.delta)
        for _ in range(DRAWS):
            emergence_score(noise.simulate(fit.values, 1, rng)[0])


def _ratios(curve: Curve) -> None:
    """Test as a verdict does, but with all draws."""
    gain = gain_of(curve)
    assert gain is not None
    fitted = fit_all([curve], [gain], Settings())[0]
    noise = Noise(gain.n, float(fitted.fits.tau_squared[0]), MARGIN_SHARE * gain.delta)
    smooth_test(fitted.forms, gain.y, noise, np.random.default_rng(0), stages=(DRAWS,))


def _best(work: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _aim(seconds: float) -> str:
    return f"{seconds:.2f} s  (aim < {AIM:g} s: {'met' if seconds < AIM else 'MISSED'})"
