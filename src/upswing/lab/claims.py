"""What the rows of a job are about, so that two settings never share a name in one store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from upswing.errors import InputError
from upswing.lab.plans import model_name
from upswing.lab.runner.job import Job
from upswing.lab.runner.local import read_record


def check_claims(jobs: Sequence[Job], store: str | Path) -> None:
    """Check that no two jobs, of a grid and of a store, give different rows the same name.

    Raises
    ------
    InputError
        Naming the first, and in what the two jobs differ.
    """
    owners: dict[str, Job] = {}
    for job in (*_finished(Path(store)), *jobs):
        for claim in claims(job):
            owner = owners.setdefault(claim, job)
            if owner.key != job.key:
                raise InputError(
                    f"{claim} is in this store in another way ({_difference(owner, job)})",
                    where=str(store),
                    hint="write to another --out folder",
                )


def claims(job: Job) -> Iterator[str]:
    """Yield names of what a job makes.

    >>> config = {"mixture": {"name": "v1"}, "shape": "d48L3", "seeds": [0]}
    >>> list(claims(Job("pretrain", config)))
    ['model char-v1-d48L3']
    """
    config = job.config
    if job.kind == "pretrain":
        for seed in config["seeds"]:
            yield f"model {model_name(config['mixture']['name'], config['shape'], seed)}"
    elif job.kind == "evaluate":
        for task in config["tasks"]:
            yield (
                f"{task} with {config['shots']} shots, {config['questions']} questions and seed "
                f"{config['seed']} on the models of {config['pretrain']}"
            )
    elif job.kind == "finetune":
        where = f"{config['model']}@{config['revision']}"
        yield f"{config['task']} {config['method']} finetuning of {where}"


def _finished(store: Path) -> Iterable[Job]:
    for path in sorted(store.glob("jobs/*/record.json")):
        record = read_record(store, path.parent.name)
        yield Job(record.kind, record.config, label=record.label)


def _difference(one: Job, other: Job) -> str:
    """Return the settings in which two jobs differ."""
    names = [n for n in one.config if one.config[n] != other.config.get(n)]
    names += [n for n in other.config if n not in one.config]
    return "; ".join(
        f"{name} {one.config.get(name)}, not {other.config.get(name)}" for name in names
    )
