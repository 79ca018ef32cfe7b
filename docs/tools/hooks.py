"""What MkDocs does around every page: run it in an empty folder, draw formulas without a network.

Pages run code (markdown-exec). Each page gets an empty working folder, no data folder and an empty
cache, so that what it prints depends on the package alone. Only a page that asks for public data
(``public_data.py``) is shown those of ``UPSWING_DOCS_DATA``, else of ``UPSWING_DATA_DIR``, else of
``../shared/data``; it says where they were not at hand.
"""

from __future__ import annotations

import html
import logging
import os
import re
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

_log = logging.getLogger("mkdocs.hooks.upswing")

_folder = tempfile.TemporaryDirectory(prefix="upswing-docs-")
_TOOLS = Path(__file__).parent
_ROOT = _TOOLS.parent.parent
_SHARED = _ROOT.parent / "shared" / "data"
_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?:\(|\[)(?P<tex>.*?)\\(?:\)|\])</(?P=tag)>',
    re.DOTALL,
)


def on_startup(**_: Any) -> None:
    """Let pages import their tools and call ``upswing``; keep the user's folders out of them."""
    # Pages show what benchmarks yield, so the project's root is importable too.
    sys.path[:0] = [str(_TOOLS), str(_TOOLS.parent.parent)]
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    given = os.environ.pop("UPSWING_DATA_DIR", "")
    shared = str(_SHARED) if _SHARED.is_dir() else ""
    os.environ["UPSWING_DOCS_DATA"] = os.environ.get("UPSWING_DOCS_DATA") or given or shared
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="cache-", dir=_folder.name)
    os.environ["NO_COLOR"] = "1"
    os.environ["COLUMNS"] = "100"
    os.environ["UPSWING_DOCS_ROOT"] = str(_ROOT)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Give the page an empty working folder."""
    os.chdir(tempfile.mkdtemp(prefix="page-", dir=_folder.name))
    return markdown


def on_page_content(html: str, **_: Any) -> str:
    """Return to the repository; tidy the folders of this build; turn formulas into MathML."""
    html = html.replace(f"{Path.cwd()}/", "").replace(os.environ["XDG_CACHE_HOME"], "~/.cache")
    os.chdir(_ROOT)
    return _FORMULA.sub(_mathml, html)


def _mathml(match: re.Match[str]) -> str:
    display = "block" if match["tag"] == "div" else "inline"
    tex = html.unescape(match["tex"]).strip()
    for name in ("max", "min"):
        tex = tex.replace(rf"\arg\{name}", rf"\operatorname{{arg{name}}}")
    formula = convert(tex, display=display)
    if "\\" in formula:
        _log.warning("a formula has a command that is not known: %s", tex)
    return formula if display == "inline" else f'<div class="formula">{formula}</div>'
