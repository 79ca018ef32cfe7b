"""The characters that the lab's models read and write: one token each.

Signs that mark a task never occur in the text, so that a model can tell the two apart.
"""

from __future__ import annotations

import re
import string

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError

TEXT = "\n " + string.ascii_lowercase + string.digits + ".,:;'\"()[]-_/?"
"""What the text is made of."""

SIGNS = "#|!+*%@=>"
"""What marks the tasks and stands before the answer."""

SYMBOLS = TEXT + SIGNS
"""All tokens; the position is the token's number."""

Tokens = npt.NDArray[np.uint8]

_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)}
_NOT_TEXT = re.compile(f"[^{re.escape(TEXT)}]+")
_SPACES = re.compile(r" +")


def as_text(raw: str) -> str:
    r"""Return a text with what the models know of it: lower case, without strange characters.

    >>> as_text("Return  >>> Ärger\tTWICE")
    'return rger twice'
    """
    return _SPACES.sub(" ", _NOT_TEXT.sub(" ", raw.lower()))


def encode(text: str) -> Tokens:
    """Return the numbers of the symbols of a text.

    Raises
    ------
    InputError
        If the text holds a character that is no symbol.

    Examples
    --------
    >>> encode("ab=").tolist()
    [2, 3, 59]
    """
    try:
        return np.array([_NUMBER[symbol] for symbol in text], dtype=np.uint8)
    except KeyError as error:
        raise InputError(
            f"the models have no symbol {error.args[0]!r}", hint=f"they know {SYMBOLS!r}"
        ) from None


def decode(tokens: npt.ArrayLike) -> str:
    """Return the text of numbers of symbols.

    >>> decode(encode("12+34=046"))
    '12+34=046'
    """
    return "".join(SYMBOLS[number] for number in np.asarray(tokens).ravel().tolist())
