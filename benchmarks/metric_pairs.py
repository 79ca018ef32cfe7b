"""Four published jumps beside another metric or format: a sentence each, from public data.

Reads the public data of ``../shared/data`` or of the folder named by ``UPSWING_DATA_DIR``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from upswing.findings.detect import detect
from upswing.findings.mirage_check import NamedPair, named_pairs
from upswing.mirage.intervention import pair_table
from upswing.report.pair_text import pair_sentence
from upswing.sources.read import read
from upswing.tables.bundle import Tables

_SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def data_folder() -> Path:
    """Return the folder of public data."""
    return Path(os.environ.get("UPSWING_DATA_DIR") or _SHARED)


def transliteration(folder: Path) -> list[NamedPair]:
    """Return exact match and BLEU of the same outputs, OPT on IPA transliteration."""
    path = folder / "ryoungj/ObsScaling@4d6e1e4/eval_results/base_llm_emergent_capability_eval.csv"
    return named_pairs(
        read(path), "exact_match", "bleu", task="ipa_transliterate", family="OPT", axis="flops"
    )


def letters_and_cloze(folder: Path) -> list[NamedPair]:
    """Return ARC-Challenge by letters and by cloze, along the training of OLMo 2 7B."""
    runs = folder / "allenai/OLMo-ladder@67a3f44/src/scripts/paper/data/ladder-runs"
    return named_pairs(
        read(runs / "peteish7_eval_full.csv"),
        "acc",
        "acc_norm",
        task="arc_challenge_test_mc_5shot_acc",
        other_task="arc_challenge_test_rc_5shot_len_norm",
        axis="tokens",
    )


def grade_and_brier(folder: Path) -> list[NamedPair]:
    """Return multiple-choice grade and top-choice Brier of BIG-G on fact_checker."""
    return named_pairs(
        bigg(folder, "2024-07-25_3shot"),
        "multiple_choice_grade",
        "top_choice_brier",
        task="fact_checker",
        axis="params",
    )


def bigg(folder: Path, run: str) -> Tables:
    """Return one run of BIG-G; the file holds several that overlap."""
    import tempfile

    table = pl.read_csv(folder / "tables/bigbench_bigg_t0_lass.csv", infer_schema_length=None)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "bigg.csv"
        table.filter(pl.col("run") == run).write_csv(path)
        return read(path)


def run() -> Iterator[str]:
    """Print what each pair says, and the exponents of Pythia's addition."""
    folder = data_folder()
    for pairs in (transliteration, letters_and_cloze, grade_and_brier):
        for row in pair_table(one.pair for one in pairs(folder)).to_dicts():
            yield pair_sentence(row)
    detection = detect(
        read(folder / "EleutherAI/pythia@a19eecb/evals/csv"),
        "params",
        task="num_reasoning_arithmetic_addition",
        n_shot=16,
    )
    row = detection.findings[0].to_dict()
    yield (
        f"Pythia on {row['task']} (16-shot): {row['verdict']}; p^L needs the exponent "
        f"{row['exponent_needed']:.2f} ({row['exponent_needed_low']:.2f} to "
        f"{row['exponent_needed_high']:.2f}) across the jump, and {row['exponent_before']:.3f} "
        "before it."
    )
