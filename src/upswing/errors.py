"""Errors that a user can act on: what is wrong, where, and the way out.

Every error that Upswing raises on purpose is an :class:`UpswingError`; the command line prints its
message in one line and exits with 1. Anything else that escapes is a bug.
"""

from __future__ import annotations

from typing import Any


class UpswingError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    where
        ``file`` or ``file:line`` (or a row, a column) at which it is wrong.
    hint
        What to do about it.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text} ({hint})" if hint else text)

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild the error in another process."""
        return _rebuilt, (type(self), self.message, self.where, self.hint)


class InputError(UpswingError):
    """The input is malformed: truncated, of an unknown format, or with impossible values."""


class IdentityError(UpswingError):
    """Two different values claim to be the same score."""


class UnknownNameError(UpswingError):
    """A task, metric, axis, data set or method of that name does not exist."""


class DataUnavailableError(UpswingError):
    """A public data file is neither at hand nor reachable."""


class OutputError(UpswingError):
    """The output folder or store cannot be written or read."""


class ExperimentError(UpswingError):
    """An experiment cannot go on: a loss that is not finite, a job that failed."""


class TooFewScalesError(UpswingError):
    """No curve has the three scales that a verdict needs."""


def _rebuilt(kind: type[UpswingError], message: str, where: str, hint: str) -> UpswingError:
    return kind(message, where=where, hint=hint)
