from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.errors import InputError
from upswing.mirage.length_answers import length_answers, length_means
from upswing.mirage.length_fits import free_power, geometric, straight
from upswing.mirage.length_independence import p_one_probability, p_product
from upswing.mirage.target_length import TargetLength, target_length
from upswing.simulate import GenerationWorld, simulate_generation

N = 3000
X = [1e20, 1e22]


def rows(pairs: list[tuple[str, str]], **columns: object) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "family": "F",
            "model": "m",
            "revision": "",
            "item": [str(i) for i in range(len(pairs))],
            "targets": [[target] for target, _ in pairs],
            "output": [output for _, output in pairs],
            **columns,
        }
    )


@pytest.fixture(scope="module")
def independent() -> tuple[GenerationWorld, pl.DataFrame]:
    """Two models whose tokens are right independently; answers of 1 to 5 tokens."""
    length = np.repeat(np.arange(1, 6), N // 5)
    world = GenerationWorld(X, np.ones(N), length, 0.3, 1e20)
    return world, simulate_generation(world, np.random.default_rng(0)).items


@pytest.fixture(scope="module")
def grouped(independent: tuple[GenerationWorld, pl.DataFrame]) -> TargetLength:
    return target_length(independent[1], np.random.default_rng(1), "group", draws=300)


@pytest.fixture(scope="module")
def prefixes() -> tuple[float, TargetLength]:
    world = GenerationWorld([1e21], np.ones(N), 5, 0.3, 1e20)
    items = simulate_generation(world, np.random.default_rng(2)).items
    p = float(world.token_probability()[0, 0])
    return p, target_length(items, np.random.default_rng(3), "prefix", draws=300)


def test_independent_tokens_fall_geometrically_in_groups(
    independent: tuple[GenerationWorld, pl.DataFrame], grouped: TargetLength
) -> None:
    world, _ = independent
    for fit, p in zip(
        grouped.fits.iter_rows(named=True), world.token_probability()[:, 0], strict=True
    ):
        assert fit["log_slope_low"] <= np.log(p) <= fit["log_slope_high"]
        assert fit["distance_slope_low"] <= 1 - p <= fit["distance_slope_high"]
        assert fit["power_low"] <= 1.0 <= fit["power_high"]
        assert fit["log_p1"] == pytest.approx(np.log(p), abs=0.05)
        assert fit["p_p1"] > 0.01
        assert fit["p_product"] > 0.01
        assert fit["distance_off"] < 0.1
    assert grouped.fits["share_geometric"][0] > 0.95  # p = .37: a curve, clearly no line
    assert grouped.lengths["n"].to_list() == [N // 5] * 10
    assert grouped.notes == ()


def test_and_over_prefixes(prefixes: tuple[float, TargetLength]) -> None:
    p, found = prefixes
    (fit,) = found.fits.to_dicts()
    assert fit["log_slope"] == pytest.approx(np.log(p), rel=0.08)
    assert fit["distance_slope"] == pytest.approx(1 - p, rel=0.05)
    assert fit["share_geometric"] > 0.95
    table = found.lengths
    assert table["accuracy"].to_numpy() == pytest.approx(p ** np.arange(1, 6), abs=0.03)
    assert table["p1_power"].to_list() == pytest.approx(table["accuracy"][0] ** np.arange(1, 6))
    assert table["distance"].to_numpy() == pytest.approx((1 - p) * np.arange(1, 6), rel=0.06)
    assert fit["p_p1"] > 0.01
    assert fit["p_product"] > 0.01
    inside = (table["above_product_low"] <= 0) & (table["above_product_high"] >= 0)
    assert inside.sum() >= 4


def test_tokens_that_are_right_together_are_not_independent() -> None:
    rng = np.random.default_rng(4)
    pairs = [("12345", "12345" if right else "xxxxx") for right in rng.random(400) < 0.6]
    found = target_length(rows(pairs), rng, draws=100)
    (fit,) = found.fits.to_dicts()
    assert fit["p_p1"] < 0.01
    assert fit["p_product"] < 0.01
    assert fit["power"] == pytest.approx(0.0, abs=0.01)  # accuracy does not fall at all
    assert found.lengths["above_product_low"][4] > 0.3


def test_harder_positions_break_p1_but_not_the_product() -> None:
    rng = np.random.default_rng(5)
    p = np.array([0.95, 0.5, 0.3])
    right = rng.random((2000, 3)) < p
    pairs = [("123", "".join("123"[j] if ok else "x" for j, ok in enumerate(r))) for r in right]
    (fit,) = target_length(rows(pairs), rng, draws=100).fits.to_dicts()
    assert fit["p_p1"] < 0.001
    assert fit["p_product"] > 0.01
    assert fit["power"] > 2
    assert fit["residual_p1"] > 10 * fit["residual_free"]


def test_by_hand() -> None:
    """Lengths, ends and insertions, counted by hand."""
    items = rows([("12", "12"), ("12", "123"), ("345", "35"), ("345", "345"), ("345", "995")])
    whole = length_answers(items, "group")
    assert whole.lengths.tolist() == [2, 3]
    means = length_means(whole, 0, np.random.default_rng(0))
    assert means.count[0].tolist() == [2, 3]
    assert means.accuracy[0].tolist() == [0.5, pytest.approx(1 / 3)]  # 123 is not 12
    assert means.distance[0].tolist() == [0.5, 1.0]
    first = length_answers(items, "prefix")
    assert first.lengths.tolist() == [1, 2, 3]
    means = length_means(first, 0, np.random.default_rng(0))
    assert means.accuracy[0] == pytest.approx([0.8, 0.6, 1 / 3])
    assert means.distance[0] == pytest.approx([0.2, 0.6, 1.0])  # 35 and 34 differ by one
    assert means.positions[0, 2] == pytest.approx([2 / 3, 1 / 3, 2 / 3])


def test_tokens_between_white_space() -> None:
    found = length_answers(rows([("one two", "one  two"), ("one two", "two")]), "prefix", "tokens")
    assert found.lengths.tolist() == [1, 2]
    assert found.exact.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert found.distance.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_the_bootstrap_draws_clusters() -> None:
    pairs = [("12", "12")] * 50 + [("12", "99")] * 50
    own = target_length(rows(pairs), np.random.default_rng(0), draws=200).fits
    together = rows(pairs, cluster=["a"] * 50 + ["b"] * 50)
    clustered = target_length(together, np.random.default_rng(0), draws=200).lengths
    assert clustered["distance_low"][1] == 0.0  # a draw of one cluster twice
    assert clustered["distance_high"][1] == 2.0
    assert own["n"][0] == 100


def test_the_fits() -> None:
    lengths = np.arange(1.0, 6.0)
    y = np.stack([0.8 * 0.4**lengths, 0.5 * 0.9**lengths])
    found = geometric(lengths, y, np.ones((2, 5)))
    assert np.exp(found.second) == pytest.approx([0.4, 0.9], rel=2e-3)
    assert found.first == pytest.approx([0.8, 0.5], rel=3e-3)
    assert np.isnan(geometric(lengths, np.zeros((1, 5)), np.ones((1, 5))).second).all()
    alone = np.array([[0.5, 0, 0, 0, 0]])
    assert np.isnan(geometric(lengths, alone, np.ones((1, 5))).second).all()
    line = straight(lengths, np.array([2.0 - 0.3 * lengths]), np.arange(1.0, 6.0)[None])
    assert (line.first[0], line.second[0]) == pytest.approx((2.0, -0.3))
    power = free_power(lengths, np.array([0.7**lengths**1.5]), np.ones((1, 5)), np.array([0.7]))
    assert power.second[0] == pytest.approx(1.5, abs=2e-3)
    assert power.first[0] > power.residual[0]
    assert np.isnan(
        free_power(lengths, np.ones((1, 5)), np.ones((1, 5)), np.array([1.0])).second
    ).all()


@pytest.mark.parametrize("whole", [False, True])
def test_the_tests_have_their_size(whole: bool) -> None:
    rng = np.random.default_rng(6)
    trials, rejected = 300, np.zeros(2)
    for _ in range(trials):
        right = rng.random((80, 3)) < 0.7
        exact, counts = int(right.all(axis=1).sum()), right.sum(axis=0)
        total = int(counts.sum()) if whole else None
        rejected += [
            p_one_probability(exact, 80, 3, int(counts[0]), total, rng, 400) <= 0.05,
            p_product(exact, counts, 80, rng, 400) <= 0.05,
        ]
    assert (rejected / trials <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)).all()


def test_what_cannot_be_compared() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="prefix"):
        target_length(rows([("12", "12"), ("34", "12")]), rng, "group")
    with pytest.raises(InputError, match="one right answer"):
        target_length(rows([("12", "12")], targets=[["12", "21"]]), rng)
    with pytest.raises(InputError, match="length"):
        target_length(rows([("12", "12")]), rng, "prefix", lengths=[7])
    two = rows([("12", "12"), ("34", "12"), ("56", "56")], targets=[["12"], ["34"], ["5", "6"]])
    assert target_length(two, rng, draws=10).notes[0].details == {"left_out": 1, "rows": 3}


def test_the_same_seed_gives_the_same_tables() -> None:
    items = rows([("123", "123"), ("123", "124"), ("123", "999")] * 10)
    one, two = (target_length(items, np.random.default_rng(1), draws=50) for _ in range(2))
    assert one.lengths.equals(two.lengths)
    assert one.fits.equals(two.fits)
