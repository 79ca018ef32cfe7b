"""Versions, tools and folders: what a bug report and ``run.json`` need."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from upswing.version import __version__

_LIBRARIES = (
    "polars",
    "numpy",
    "scipy",
    "msgspec",
    "altair",
    "vl-convert-python",
    "jinja2",
    "cyclopts",
    "rich",
    "pooch",
    "torch",
    "safetensors",
    "transformers",
)


def environment() -> dict[str, str]:
    """Return versions of Python and the libraries, the machine, and folders that matter."""
    found = {
        "upswing": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
    }
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    found["UPSWING_DATA_DIR"] = os.environ.get("UPSWING_DATA_DIR", "not set")
    found["chromium"] = shutil.which("chromium") or "not found (only tests need it)"
    return found
