"""A training that is stopped from its progress messages, as a user's interrupt does."""

from __future__ import annotations

from collections.abc import Callable


class Stop(Exception):
    """Raised where a test wants a training to end."""


def stop_at(share: float) -> Callable[[str, float], None]:
    """A ``progress`` that raises :class:`Stop` once this share of the work is done."""

    def progress(message: str, done: float) -> None:
        if done >= share:
            raise Stop

    return progress
