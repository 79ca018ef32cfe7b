"""The order of jobs: needs first, longest path first."""

from __future__ import annotations

import random

import pytest

from upswing.errors import InputError
from upswing.lab.runner.job import Job
from upswing.lab.runner.remaining import Remaining
from upswing.lab.runner.schedule import Schedule


def job(name: str, cost: float = 1.0, *needs: Job) -> Job:
    return Job("k", {"name": name}, tuple(n.key for n in needs), cost, name)


def nothing(key: str) -> bool:
    return False


def order(schedule: Schedule) -> list[str]:
    """Return the labels in the order in which one worker would run them."""
    labels = []
    while (following := schedule.next()) is not None:
        labels.append(following.label)
        schedule.finished(following)
    return labels


def test_the_longest_path_comes_first():
    short, long = job("short", 5), job("long", 1)
    after = job("after", 9, long)
    assert order(Schedule([short, long, after], nothing)) == ["long", "after", "short"]


def test_equal_jobs_keep_the_order_of_the_grid():
    labels = [str(i) for i in range(9)]
    assert order(Schedule([job(label) for label in labels], nothing)) == labels


def test_a_job_waits_for_all_that_it_needs():
    a, b = job("a"), job("b", 2)
    schedule = Schedule([job("c", 9, a, b), a, b], nothing)
    first, second = schedule.next(), schedule.next()
    assert {first, second} == {a, b}
    assert schedule.next() is None
    schedule.finished(a)
    assert schedule.next() is None
    schedule.finished(b)
    assert schedule.next().label == "c"


def test_no_job_comes_before_what_it_needs_in_random_grids():
    generator = random.Random(0)
    for _ in range(50):
        jobs: list[Job] = []
        for i in range(20):
            needs = generator.sample(jobs, min(len(jobs), generator.randrange(4)))
            jobs.append(job(str(i), generator.random(), *needs))
        generator.shuffle(jobs)
        labels = order(Schedule(jobs, nothing))
        position = {label: place for place, label in enumerate(labels)}
        assert sorted(labels) == sorted(j.label for j in jobs)
        by_key = {j.key: j for j in jobs}
        for j in jobs:
            assert all(position[by_key[key].label] < position[j.label] for key in j.needs)


def test_longest_first_ends_within_the_known_bound_of_the_optimum():
    # Graham 1969 (doi:10.1137/0117039): on m workers, longest first takes at most 4/3 - 1/(3 m)
    # times as long as the best order, and that one no less than the mean load or the longest job.
    generator = random.Random(1)
    for _ in range(30):
        costs = [generator.expovariate(1.0) for _ in range(25)]
        schedule = Schedule([job(str(i), cost) for i, cost in enumerate(costs)], nothing)
        loads = [0.0, 0.0]
        while (following := schedule.next()) is not None:
            loads[loads.index(min(loads))] += following.cost
        assert max(loads) <= (4 / 3 - 1 / 6) * max(sum(costs) / 2, max(costs))


def test_a_job_that_is_there_twice_runs_once_and_needs_what_both_need():
    a, b = job("a"), job("b")
    twins = [Job("k", {"name": "c"}, (need.key,)) for need in (a, b)]
    schedule = Schedule([*twins, a, b], nothing)
    assert len(schedule.todo) == 3
    assert order(schedule)[-1] == ""


def test_finished_jobs_are_skipped_and_need_not_be_in_the_grid():
    old, earlier = job("old"), job("earlier")
    new = job("new", 1.0, old, earlier)
    schedule = Schedule([earlier, new], {old.key, earlier.key}.__contains__)
    assert schedule.skipped == (earlier,)
    assert order(schedule) == ["new"]


def test_an_unknown_need_is_an_error():
    with pytest.raises(InputError, match=r"'new' needs job .* not in the grid and not finished"):
        Schedule([job("new", 1.0, job("forgotten"))], nothing)


def test_a_circle_is_an_error_that_names_it():
    a, b = Job("k", {"name": "a"}, label="a"), Job("k", {"name": "b"}, label="b")
    a, b = (Job("k", one.config, (two.key,), label=one.label) for one, two in ((a, b), (b, a)))
    with pytest.raises(InputError, match=r"circle: (a -> b -> a|b -> a -> b)"):
        Schedule([a, b, job("c")], nothing)


def test_all_that_wait_for_a_job_are_found():
    a = job("a")
    b = job("b", 1, a)
    c = job("c", 1, b, a)
    other = job("other")
    schedule = Schedule([a, b, c, other], nothing)
    assert schedule.waiting_for(a) == {b.key, c.key}
    assert schedule.waiting_for(c) == set()


def test_time_left_is_the_estimate_at_first_and_then_what_was_seen():
    jobs = [job(str(i), 100.0) for i in range(4)]
    remaining = Remaining(Schedule(jobs, nothing), workers=2)
    assert remaining.seconds({}) == pytest.approx(200.0)
    assert remaining.share({}) == 0.0
    running = {jobs[0].key: (0.5, 100.0), jobs[1].key: (0.5, 100.0)}  # twice as slow as estimated
    assert remaining.share(running) == pytest.approx(0.25)
    assert remaining.seconds(running) == pytest.approx(150.0 * (200 + 10) / (100 + 10))
    for done in jobs[:3]:
        remaining.ended(done.key, 200.0)
    assert remaining.seconds({jobs[3].key: (0.0, 0.0)}) == pytest.approx(100 * 610 / 310)
    remaining.given_up([jobs[3].key])
    assert remaining.seconds({}) == 0.0
    assert remaining.share({}) == 1.0


def test_time_left_is_not_below_the_longest_path():
    a = job("a", 10.0)
    chain = [a, b := job("b", 10.0, a), job("c", 10.0, b)]
    assert Remaining(Schedule(chain, nothing), workers=8).seconds({}) == pytest.approx(30.0)


def test_without_costs_every_job_counts_as_one():
    jobs = [job(str(i), 0.0) for i in range(4)]
    remaining = Remaining(Schedule(jobs, nothing), workers=2)
    assert remaining.seconds({}) is None
    remaining.ended(jobs[0].key, 3.0)
    assert remaining.seconds({}) == pytest.approx(3 / 2 * 3.0)
    assert remaining.share({}) == 0.25


def test_nothing_to_do_is_done():
    remaining = Remaining(Schedule([], nothing), workers=2)
    assert remaining.share({}) == 1.0
