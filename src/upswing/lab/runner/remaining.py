"""How long a grid will still take, from what it has taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from upswing.lab.runner.schedule import Schedule

_BELIEF = 10.0
"""Seconds of work after which the observed speed counts as much as the estimated costs."""


class Remaining:
    """Counts estimated cost against the time that it took.

    A grid whose jobs have no costs counts each as one, and knows nothing before the first is done.

    Parameters
    ----------
    schedule
        The grid.
    workers
        How many jobs run at once.
    """

    def __init__(self, schedule: Schedule, workers: int) -> None:
        self._is_costed = any(job.cost > 0 for job in schedule.todo.values())
        self._cost = {k: j.cost if self._is_costed else 1.0 for k, j in schedule.todo.items()}
        self._path = schedule.path if self._is_costed else self._cost
        self._workers = workers
        self._gone: set[str] = set()
        self._worked = 0.0
        self._took = 0.0

    def ended(self, key: str, seconds: float) -> None:
        """Tell that a job ended after a time [s]."""
        self._gone.add(key)
        self._worked += self._cost[key]
        self._took += seconds

    def given_up(self, keys: Collection[str]) -> None:
        """Tell that jobs will not run."""
        self._gone |= set(keys)

    def share(self, running: Mapping[str, tuple[float, float]]) -> float:
        """Return the share of the work that is behind, in [0, 1].

        Parameters
        ----------
        running
            By key of each running job: share that is done, and seconds since it began.
        """
        total = sum(self._cost.values())
        return 1.0 - self._left(running) / total if total else 1.0

    def seconds(self, running: Mapping[str, tuple[float, float]]) -> float | None:
        """Return the estimated time to the end [s], or None where nothing is known.

        The rest divided among the workers, or the longest path of jobs that need each other if that
        takes longer; at the speed so far, which stands beside the estimate until enough was seen.
        """
        belief = _BELIEF if self._is_costed else 0.0
        worked = self._worked + sum(self._cost[k] * share for k, (share, _) in running.items())
        took = self._took + sum(seconds for _, seconds in running.values())
        if worked + belief <= 0.0:
            return None
        longest = max(
            (
                path - self._cost[key] * running.get(key, (0.0, 0.0))[0]
                for key, path in self._path.items()
                if key not in self._gone
            ),
            default=0.0,
        )
        rest = max(self._left(running) / self._workers, longest)
        return rest * (took + belief) / (worked + belief)

    def _left(self, running: Mapping[str, tuple[float, float]]) -> float:
        return sum(
            cost * (1.0 - running.get(key, (0.0, 0.0))[0])
            for key, cost in self._cost.items()
            if key not in self._gone
        )
