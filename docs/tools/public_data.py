"""Public data sets for pages: where the build was given a folder of them, else none."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "UPSWING_DOCS_DATA"


def public_folder(name: str) -> Path | None:
    """Return the folder of a data set of the catalog, or None where it is not at hand.

    Pages see neither the user's data nor the cache (see ``hooks.py``), so that they print the same
    everywhere. A page that asks for a set here has to do without it too.
    """
    import upswing

    root = os.environ.get(FOLDER)
    if not root:
        return None
    before = os.environ.get("UPSWING_DATA_DIR")
    os.environ["UPSWING_DATA_DIR"] = root
    try:
        return upswing.data_path(name)
    except upswing.UpswingError:
        return None
    finally:
        if before is None:
            del os.environ["UPSWING_DATA_DIR"]
        else:
            os.environ["UPSWING_DATA_DIR"] = before
