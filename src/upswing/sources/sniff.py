"""Guess the format of a file from its content, never from its name."""

from __future__ import annotations

from typing import Any

import msgspec

from upswing.errors import InputError
from upswing.sources.archive import open_archive
from upswing.sources.bigbench import looks_like_bigbench, read_bigbench
from upswing.sources.document import Document
from upswing.sources.every_eval_ever import read_every_eval_ever, recognises_every_eval_ever
from upswing.sources.every_eval_ever_samples import (
    read_every_eval_ever_samples,
    recognises_every_eval_ever_samples,
    run_beside,
)
from upswing.sources.finetunes import looks_finetuned, read_finetuned
from upswing.sources.format import Format, Look, ReadOptions, whole
from upswing.sources.helm import helm_members, read_helm, recognises_helm
from upswing.sources.inspect_logs import read_inspect, recognises_inspect
from upswing.sources.json_text import decode_json, loads
from upswing.sources.lm_eval_context import results_beside
from upswing.sources.lm_eval_results import read_lm_eval_results
from upswing.sources.lm_eval_samples import (
    read_lm_eval_samples,
    recognises_lm_eval_samples,
)
from upswing.sources.mapped_table import lacks_its_mapping, looks_mapped, read_mapped
from upswing.sources.obsscaling import looks_like_obsscaling, read_obsscaling
from upswing.sources.pythia_arithmetic import looks_like_pythia_arithmetic, read_pythia_arithmetic
from upswing.sources.tabular import read_header, read_text_table
from upswing.sources.tidy import looks_tidy, read_tidy
from upswing.sources.wide import read_wide
from upswing.sources.wu_lo import looks_like_wu_lo, read_wu_lo

_MARK = b"\xef\xbb\xbf"  # byte order mark

WIDE = Format("wide sheet", lambda look, options: options.wide, whole(read_wide))

FORMATS = (
    Format("Inspect log", recognises_inspect, read_inspect),
    Format("HELM run folder", recognises_helm, read_helm, helm_members),
    Format("Every Eval Ever", recognises_every_eval_ever, read_every_eval_ever),
    Format(
        "Every Eval Ever samples",
        recognises_every_eval_ever_samples,
        read_every_eval_ever_samples,
        run_beside,
    ),
    Format(
        "lm-eval results",
        lambda look, options: look.kind == "json" and "results" in look.keys,
        whole(read_lm_eval_results),
    ),
    Format("lm-eval samples", recognises_lm_eval_samples, read_lm_eval_samples, results_beside),
    Format("BIG-bench scores", looks_like_bigbench, read_bigbench),
    Format(
        "Wu and Lo group table",
        lambda look, options: looks_like_wu_lo(list(look.columns)),
        read_wu_lo,
    ),
    Format(
        "ObsScaling table",
        lambda look, options: looks_like_obsscaling(look.columns),
        read_obsscaling,
    ),
    Format("table through a mapping", looks_mapped, read_mapped),
    Format(
        "Pythia arithmetic CSV",
        lambda look, options: looks_like_pythia_arithmetic(list(look.columns)),
        whole(read_pythia_arithmetic),
    ),
    Format(
        "table of finetuned models",
        lambda look, options: looks_finetuned(look.columns),
        whole(read_finetuned),
    ),
    Format("tidy table", lambda look, options: looks_tidy(list(look.columns)), whole(read_tidy)),
    WIDE,
    Format("table through a mapping", lacks_its_mapping, read_mapped),
)
"""All formats; the first that recognises a file reads it."""


def sniff(document: Document, options: ReadOptions | None = None) -> Format:
    """Return the format of a file.

    Raises
    ------
    InputError
        If the file is empty, damaged, or of a format that Upswing does not read.
    """
    options = options or ReadOptions()
    look = look_at(document)
    for form in FORMATS:
        if form.recognises(look, options):
            return form
    if look.kind == "table":
        raise InputError(
            "an unknown format",
            where=f"{document.source}:1",
            hint="a tidy table needs the columns model, task and value; a sheet with one column "
            "per task needs --wide, an export of other columns a --mapping",
        )
    raise InputError(
        f"a {'zip archive' if look.kind == 'zip' else 'JSON'} of a format that this version does "
        "not read",
        where=f"{document.source}:1",
        hint="it reads " + ", ".join(dict.fromkeys(form.name for form in FORMATS)),
    )


def look_at(document: Document) -> Look:
    """Return what tells the format of a file.

    Raises
    ------
    InputError
        If the file is empty or is damaged JSON.
    """
    head = document.head().removeprefix(_MARK).lstrip()
    if not head and not document.content().strip():
        raise InputError("the file is empty", where=f"{document.source}:1")
    if head[:4] == b"PK\x03\x04":
        with open_archive(document) as archive:
            return Look("zip", frozenset(archive.namelist()))
    if head[:1] in (b"{", b"["):
        return _look_at_json(document)
    if head[:4] == b"PAR1":
        frame = read_text_table(document.content(), document.source)
        return Look("table", columns=tuple(frame.columns))
    header = head.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return Look("table", columns=tuple(read_header(header)[1]))


def _look_at_json(document: Document) -> Look:
    line, more = _first_line(document)
    keys = _keys_of_line(line)
    if keys is not None:
        return Look("lines" if more else "json", keys)
    content = document.content()
    keys = _keys(content.removeprefix(_MARK))
    if keys is not None:
        return Look("json", keys)
    data = decode_json(content, document.source)
    if isinstance(data, list):
        first = data[0] if data else None
        return Look("json", frozenset(first if isinstance(first, dict) else ()), is_list=True)
    return Look("json", frozenset(data if isinstance(data, dict) else ()))


def _first_line(document: Document) -> tuple[bytes, bool]:
    """Return the first line with text, and whether text follows it."""
    line, _, rest = document.head().removeprefix(_MARK).lstrip().partition(b"\n")
    if line and rest.strip():
        return line, True
    line = b""
    for _, _, content in document.blocks(2**18):
        if line and content.strip():
            return line, True
        if not line:
            line, _, rest = content.removeprefix(_MARK).lstrip().partition(b"\n")
            if line and rest.strip():
                return line, True
    return line, False


def _keys(text: bytes) -> frozenset[str] | None:
    """Return the keys of a JSON object without decoding its values; None if it is none."""
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return frozenset(found)


def _keys_of_line(line: bytes) -> frozenset[str] | None:
    """Return the keys of a line, which may hold NaN or half a surrogate pair."""
    keys = _keys(line)
    if keys is None:
        try:
            found = loads(line)
        except (ValueError, RecursionError):
            return None
        keys = frozenset(found) if isinstance(found, dict) else None
    return keys
