"""Run all benchmarks and print one table: ``python -m benchmarks [NAME]``."""

from __future__ import annotations

import sys

from benchmarks import (
    arithmetic_predictions,
    detection,
    difficulty,
    emergence_design,
    emergence_law,
    emergence_law_speed,
    error_rates,
    hostile_logs,
    imports,
    lab_kills,
    lab_training,
    loss_laws,
    meta_analysis,
    metric_pairs,
    mirage_null,
    question_logs,
    reading,
    shape_null,
    smooth_size,
)

BENCHMARKS = {
    "imports": imports.run,
    "detection": detection.run,
    "reading": reading.run,
    "question_logs": question_logs.run,
    "hostile_logs": hostile_logs.run,
    "error_rates": error_rates.run,
    "smooth_size": smooth_size.run,
    "meta_analysis": meta_analysis.run,
    "metric_pairs": metric_pairs.run,
    "mirage_null": mirage_null.run,
    "arithmetic_predictions": arithmetic_predictions.run,
    "difficulty": difficulty.run,
    "shape_null": shape_null.run,
    "emergence_law": emergence_law.run,
    "emergence_law_speed": emergence_law_speed.run,
    "emergence_design": emergence_design.run,
    "loss_laws": loss_laws.run,
    "lab_training": lab_training.run,
    "lab_kills": lab_kills.run,
}


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    for name in chosen:
        print(f"== {name}", flush=True)
        for line in BENCHMARKS[name]():
            print(f"  {line}", flush=True)


main()
