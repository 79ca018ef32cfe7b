"""What the rows of a job are about, so that two settings never share a name in one store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from upswing.errors import InputError
from upswing.lab.plans import model_name
from upswing.lab.runner.job import Job
from upswing.lab.runner.output import finished_records
from upswing.lab.runner.record import job_of

_WAY_OUT = {
    "pretrain": "write to another --out folder",
    "evaluate": "name only tasks that were not asked yet, or change --questions or --seed",
    "finetune": "choose another checkpoint, task, method or amount, or another --out folder; "
    "--no-prompted leaves the prompted model out",
}


def check_claims(jobs: Sequence[Job], store: str | Path) -> None:
    """Check that no two jobs, of a grid and of a store, give different rows the same name.

    Raises
    ------
    InputError
        Naming the first, and in what the two jobs differ.
    """
    owners: dict[str, Job] = {}
    for job in (*map(job_of, finished_records(store)), *jobs):
        for claim in claims(job):
            owner = owners.setdefault(claim, job)
            if owner.key != job.key:
                raise InputError(
                    f"{claim} is in this store in another way ({_difference(owner, job)})",
                    where=str(store),
                    hint=_WAY_OUT[job.kind],
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
        for revision in config["revisions"]:
            yield (
                f"{config['task']} with {config['shots']} shots, {config['questions']} questions "
                f"and seed {config['seed']} on {revision} of the models of {config['pretrain']}"
            )
    elif job.kind == "finetune":
        where = f"{config['model']}@{config['revision']}"
        for d in config["d"]:
            yield f"{config['task']} {config['method']} finetuning of {where} on {d} examples"
        if config["shots"] is not None and config["method"] == "full":
            yield f"prompting of {where} for {config['task']}"


def _difference(one: Job, other: Job) -> str:
    """Return the settings in which two jobs differ."""
    names = [n for n in one.config if one.config[n] != other.config.get(n)]
    names += [n for n in other.config if n not in one.config]
    return "; ".join(
        f"{name} {one.config.get(name)}, not {other.config.get(name)}" for name in names
    )
