"""Run all benchmarks and print one table: ``python -m benchmarks [NAME]``."""

from __future__ import annotations

import sys

from benchmarks import (
    arithmetic_predictions,
    detection,
    error_rates,
    hostile_logs,
    imports,
    lab_kills,
    lab_training,
    meta_analysis,
    mirage_null,
    question_logs,
    reading,
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
    "mirage_null": mirage_null.run,
    "arithmetic_predictions": arithmetic_predictions.run,
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
