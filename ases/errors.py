"""Errors for people: each says what is wrong, where, and what to do about it."""

from __future__ import annotations


class AsesError(Exception):
    """A problem that the user can solve. Shown as its message, never as a traceback."""

    def _render_traceback_(self) -> list[str]:
        # IPython calls this in place of printing a stack: a reader of the notebook needs the sentence.
        return [f"{type(self).__name__}: {self}"]


class ParameterError(AsesError):
    """A parameter that is unknown, of the wrong type, or out of range."""


class DataError(AsesError):
    """A file or record that cannot be used; the message names file, line or qid, and field."""


class ModelError(AsesError):
    """A model, tokenizer or checkpoint that cannot be loaded or used."""


class RunError(AsesError):
    """A run folder that is missing, incomplete or inconsistent."""
