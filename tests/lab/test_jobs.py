"""The three kinds of jobs, called directly: what they leave, and that their rows are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")

from lab.small_grid import EVALUATION, FINETUNE, LADDER, finish  # noqa: E402
from upswing import read  # noqa: E402
from upswing.curves.build import build_curves  # noqa: E402
from upswing.errors import ExperimentError, InputError  # noqa: E402
from upswing.lab import finetune_job  # noqa: E402
from upswing.lab.answer import answer  # noqa: E402
from upswing.lab.answer_rows import CHOSEN, MULTIPLE_CHOICE, WRITTEN  # noqa: E402
from upswing.lab.checkpoint import read_checkpoints  # noqa: E402
from upswing.lab.experiment_files import keep_corpus, read_list  # noqa: E402
from upswing.lab.finetune import Finetuned, Finetuning, Run, finetune  # noqa: E402
from upswing.lab.mixture import CONTEXT, held_out_windows  # noqa: E402
from upswing.lab.model_shape import ModelShape  # noqa: E402
from upswing.lab.pretrain import text_losses  # noqa: E402
from upswing.lab.questions import ask  # noqa: E402
from upswing.lab.runner.output import output_folder  # noqa: E402
from upswing.lab.runner.workplace import Workplace  # noqa: E402
from upswing.lab.tasks import TASKS  # noqa: E402
from upswing.tables.schemas import FINETUNES, ITEMS, SCORES  # noqa: E402

PLAN = replace(LADDER, models=2)
"""Two models of one size, in one stack."""


@pytest.fixture(scope="module")
def grid(tmp_path_factory, corpus):
    """A store with a pretraining and its evaluations, and these jobs."""
    store = tmp_path_factory.mktemp("lab") / "store"
    keep_corpus(store, corpus)
    (ladder,) = PLAN.jobs(corpus, 0)
    evaluations = EVALUATION.jobs([ladder], 0)
    finish([ladder, *evaluations], store)
    return store, ladder, evaluations


@pytest.fixture(scope="module")
def tables(grid):
    return read(grid[0])


def rows_of(job, store, tmp_path, kind):
    """Return what a job's function finds, outside of the store."""
    return kind.run(job.config, Workplace(tmp_path, job, store))


# pretrain


def test_checkpoints_lie_where_the_list_says(grid):
    store, ladder, _ = grid
    folder = output_folder(store, ladder.key)
    trained = read_list(folder)
    assert {(t.model, t.revision) for t in trained} == {
        (model, revision)
        for model in ("char-tiny-d8L1", "char-tiny-d8L1-seed1")
        for revision in ("step10", "step20")
    }
    assert {t.family for t in trained} == {"char-tiny"}
    for one in trained:
        with safetensors.safe_open(folder / one.folder / "model.safetensors", "pt") as file:
            metadata = file.metadata()
        assert (metadata["model"], metadata["revision"]) == (one.model, one.revision)
        assert metadata["source"] == ladder.source


def test_scales_are_those_of_the_checkpoints(grid, tables, corpus):
    store, ladder, _ = grid
    folder, shape = output_folder(store, ladder.key), ModelShape(8, 1)
    assert len(tables.scales) == 4
    for one in read_list(folder):
        row = tables.scales.row(
            by_predicate=(pl.col("model") == one.model) & (pl.col("revision") == one.revision),
            named=True,
        )
        step = int(one.revision.removeprefix("step"))
        assert row["step"] == step
        assert row["params"] == shape.params
        assert row["params_nonembedding"] == shape.params_nonembedding
        assert row["tokens"] == step * 4 * CONTEXT
        assert row["flops"] == 6 * shape.params * step * 4 * CONTEXT
        _, weights = read_checkpoints([folder / one.folder])
        loss = text_losses(weights, shape, held_out_windows(corpus))
        assert row["loss"] == pytest.approx(float(loss[0]), abs=1e-5)
        assert corpus.sha256[:12] in row["loss_corpus"]


def test_pretraining_without_its_corpus_is_refused(tmp_path, corpus):
    (ladder,) = LADDER.jobs(corpus, 0)
    with pytest.raises(InputError, match="corpus of this experiment is gone"):
        finish([ladder], tmp_path / "store")


# evaluate


def test_evaluation_gives_every_score_of_every_checkpoint(grid, tables):
    metrics = CHOSEN + WRITTEN
    scores = tables.scores
    assert SCORES.conform(scores).equals(scores)
    assert len(scores) == 4 * 2 * len(metrics)
    found = set(scores.select("model", "revision", "task", "metric").iter_rows())
    assert len(found) == len(scores)
    assert scores["n_shot"].unique().to_list() == [2]
    assert scores["n"].unique().to_list() == [12]
    assert set(scores["source"]) == {job.source for job in grid[2]}


def test_items_are_kept_of_the_tasks_named(tables):
    assert ITEMS.conform(tables.items).equals(tables.items)
    assert tables.items["task"].unique().to_list() == ["copy"]
    assert len(tables.items) == 4 * 12 * 2


def test_answers_are_those_of_the_checkpoint_on_the_disk(grid, tables):
    store, ladder, _ = grid
    folder = output_folder(store, ladder.key)
    one = read_list(folder)[-1]
    shape, weights = read_checkpoints([folder / one.folder])
    questions = ask(TASKS["copy"], 12, 2, np.random.default_rng([0, *b"copy"]))
    logprobs = answer(weights, shape, questions).option_logprobs[0]
    mine = tables.items.filter(
        model=one.model, revision=one.revision, elicitation=MULTIPLE_CHOICE
    ).sort("item")
    order = np.argsort([problem.prompt for problem in questions.problems])
    assert np.allclose(mine["option_logprobs"].to_list(), logprobs[order], atol=2e-4)
    assert mine["target_index"].to_list() == questions.targets[order].tolist()


def test_some_revisions_alone_can_be_asked(grid, tables, tmp_path):
    store, ladder, _ = grid
    job, _ = replace(EVALUATION, revisions=("step20",), kept=()).jobs([ladder], 0)
    from upswing.lab import evaluate_job

    (reading,) = rows_of(job, store, tmp_path, evaluate_job)
    assert reading.items.is_empty()
    assert reading.scores["task"].unique().to_list() == ["copy"]
    assert reading.scores["revision"].unique().to_list() == ["step20"]
    names = ["model", "task", "metric"]
    both = reading.scores.select(*names, "value").join(
        tables.scores.filter(revision="step20").select(*names, "value"), on=names, validate="1:1"
    )
    assert len(both) == len(reading.scores)
    assert np.allclose(both["value"], both["value_right"], atol=1e-3)


def test_revisions_that_do_not_exist_are_refused(grid):
    _, ladder, _ = grid
    with pytest.raises(InputError, match="no checkpoint step7"):
        replace(EVALUATION, revisions=("step7", "step20")).jobs([ladder], 0)


def test_the_store_gives_curves(tables):
    curves, _ = build_curves(tables, "tokens", task="copy")
    names = {(curve.model, curve.metric) for curve in curves}
    assert len(names) == len(curves) == 2 * len(CHOSEN + WRITTEN)
    for curve in curves:
        assert curve.x.tolist() == [10 * 4 * CONTEXT, 20 * 4 * CONTEXT]
        assert curve.n.tolist() == [12, 12]
        if curve.metric == "acc":
            assert curve.chance == pytest.approx(0.25)
    on_loss, _ = build_curves(tables, "loss", task="copy")
    assert len(on_loss) == len(curves)


# finetune


def finetunes_of(grid, tmp_path, **changes) -> pl.DataFrame:
    store, ladder, _ = grid
    plan = replace(FINETUNE, checkpoints=("char-tiny-d8L1@step20",), **changes)
    (job,) = plan.jobs([ladder], 0)
    (reading,) = rows_of(job, store, tmp_path, finetune_job)
    assert FINETUNES.conform(reading.finetunes).equals(reading.finetunes)
    assert reading.finetunes.select(FINETUNES.key).is_unique().all()
    return reading.finetunes


def test_finetuning_gives_a_row_per_run_and_metric_and_the_prompted_model(grid, tmp_path):
    rows = finetunes_of(grid, tmp_path)
    metrics = {"acc", "exact_match", "target_logprob_per_token"}
    runs = {(d, draw, seed) for d in (8, 16) for draw in (0, 1) for seed in (0, 1)}
    tuned, prompted = rows.filter(~pl.col("few_shot")), rows.filter("few_shot")
    assert set(tuned.select("metric", "d", "draw", "seed").iter_rows()) == {
        (metric, *run) for metric in metrics for run in runs
    }
    assert len(tuned) == len(metrics) * len(runs)
    assert tuned["method"].unique().to_list() == ["full"]
    assert set(prompted["metric"]) == metrics
    assert len(prompted) == len(metrics)
    assert prompted.select("d", "draw", "seed").unique().rows() == [(None, None, None)]
    assert prompted["method"].unique().to_list() == [""]
    assert set(rows.select("model", "revision", "family", "task", "n").unique().rows()) == {
        ("char-tiny-d8L1", "step20", "char-tiny", "addition-2", 12)
    }
    for row in tuned.filter(metric="target_logprob_per_token").iter_rows(named=True):
        assert -10 < row["value"] < 0


def test_scores_are_those_of_the_finetuned_weights(grid, tmp_path):
    """One rate, so nothing is chosen: the runs are done again here and asked the same."""
    rows = finetunes_of(grid, tmp_path, learning_rates=(5e-3,))
    store, ladder, _ = grid
    folder = output_folder(store, ladder.key)
    shape, weights = read_checkpoints([folder / "char-tiny-d8L1" / "step20"])
    task = TASKS["addition-2"]
    run = Run(16, 1, 0, 5e-3)
    tuned = finetune(weights, shape, Finetuning(task, steps=4, rows=4), [run], 0)
    for shots, some, mine in (
        (0, tuned.weights, rows.filter(d=16, draw=1, seed=0)),
        (2, weights, rows.filter("few_shot")),
    ):
        questions = ask(task, 12, shots, np.random.default_rng([0, *b"addition-2"]))
        logprobs = answer(some, shape, questions).option_logprobs[0]
        expected = logprobs[np.arange(12), questions.targets].mean() / 3
        value = mine.filter(metric="target_logprob_per_token")["value"].item()
        assert value == pytest.approx(expected, abs=1e-3)
        accuracy = (logprobs.argmax(axis=1) == questions.targets).mean()
        assert mine.filter(metric="acc")["value"].item() == pytest.approx(accuracy)


def test_the_rate_of_each_amount_is_chosen_on_validation(grid, tmp_path, monkeypatch):
    seen = []

    def pretended(weights, shape, finetuning, runs, pool_seed, progress, may_diverge=False):
        seen.append(list(runs))
        # The second rate is better with 8 examples, the first one with 16.
        better = {(8, 3e-3), (16, 1e-3)}
        losses = torch.tensor([1.0 if (r.d, r.learning_rate) in better else 2.0 for r in runs])
        stack = {n: w.expand(len(runs), *w.shape[1:]) for n, w in weights.items()}
        return Finetuned(stack, losses, torch.ones(len(runs)))

    monkeypatch.setattr(finetune_job, "finetune", pretended)
    rows = finetunes_of(grid, tmp_path, learning_rates=(1e-3, 3e-3))
    tried, done = seen
    assert {(run.d, run.learning_rate) for run in tried} == {
        (d, rate) for d in (8, 16) for rate in (1e-3, 3e-3)
    }
    assert not {run.seed for run in tried} & {run.seed for run in done}
    assert {(run.d, run.learning_rate) for run in done} == {(8, 3e-3), (16, 1e-3)}
    assert rows.filter(~pl.col("few_shot"))["seed"].is_in([0, 1]).all()


def test_low_rank_runs_have_no_prompted_row_and_name_their_method(grid, tmp_path):
    rows = finetunes_of(grid, tmp_path, methods=("lora-2",))
    assert rows["method"].unique().to_list() == ["lora-2"]
    assert not rows["few_shot"].any()


def test_no_prompted_row_without_shots(grid, tmp_path):
    assert not finetunes_of(grid, tmp_path, shots=None)["few_shot"].any()


def test_a_checkpoint_that_is_not_there_is_refused(grid, tmp_path):
    store, ladder, _ = grid
    (job,) = replace(FINETUNE, checkpoints=("char-tiny-d8L1@step20",)).jobs([ladder], 0)
    job = replace(job, config={**job.config, "revision": "step7"})
    with pytest.raises(InputError, match="no checkpoint char-tiny-d8L1 at step7"):
        rows_of(job, store, tmp_path, finetune_job)


def test_more_examples_than_there_are_are_refused(grid, tmp_path):
    with pytest.raises(InputError, match=r"addition-2 has .* train problems, not 9,000"):
        finetunes_of(grid, tmp_path, d=(8, 9000))


def test_a_pretraining_that_has_not_finished_is_refused(grid, tmp_path, corpus):
    (other,) = PLAN.jobs(corpus, 5)
    job, *_ = EVALUATION.jobs([other], 0)
    with pytest.raises(ExperimentError, match="has not finished"):
        finish([job], tmp_path / "store")
