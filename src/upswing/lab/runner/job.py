"""A job: one function call of an experiment, named by everything that its result depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from upswing.errors import InputError
from upswing.tables.provenance import sha256


@dataclass(frozen=True, eq=False)
class Job:
    """One piece of work; two jobs with the same key are the same job.

    Attributes
    ----------
    kind
        What is done: ``pretrain``, ``evaluate`` or ``finetune``.
    config
        JSON values: everything that the result depends on, the seed among it. The job keeps a copy
        as JSON gives it back, so that its function gets a list where a tuple was given.
    needs
        Keys of the jobs whose output this one reads.
    cost
        Estimated work [CPU seconds]; 0 where nothing is known. Not part of the key.
    label
        Its name for people. Not part of the key.

    Raises
    ------
    InputError
        If a value of ``config`` is not JSON: NaN, an infinity, an array, a name that is no text.

    Examples
    --------
    >>> job = Job("pretrain", {"width": 48, "seed": 0}, cost=185.0, label="pretrain d48L3")
    >>> job == Job("pretrain", {"seed": 0, "width": 48})
    True
    >>> len(job.key)
    20
    """

    kind: str
    config: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    cost: float = 0.0
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", json.loads(_canonical(self)))

    @cached_property
    def key(self) -> str:
        """First 20 hexadecimal digits of the SHA-256 of kind and config."""
        return sha256(self.kind.encode() + b"\n" + _canonical(self))[:20]

    @property
    def name(self) -> str:
        """The label, or the kind where there is none."""
        return self.label or self.kind

    @property
    def source(self) -> str:
        """Name of the job in the column ``source`` of its rows."""
        return f"lab/{self.kind}/{self.key}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _canonical(job: Job) -> bytes:
    """Return the one text of equal configs: names in order, no spaces, no NaN."""
    try:
        _check_names(job.config)
        text = json.dumps(
            dict(job.config),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the config of job {job.name!r} is not JSON: {error}",
            hint="use text, numbers, true or false, null, lists and mappings of them",
        ) from None


def _check_names(value: object) -> None:
    """Refuse names that JSON would turn into text, since 1 and "1" would then be one name."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise TypeError(f"the name {name!r} is no text")
            _check_names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_names(inner)
