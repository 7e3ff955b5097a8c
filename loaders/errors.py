"""Failures that a person must act on, each with the exit code that tells a script what happened.

Belongs here: exception types. Not here: the conditions that raise them.
Raised ``from None`` where the cause may quote a row: Dagster's event log keeps whole chains.
"""


class LoadError(Exception):
    """A permanent failure: the message names the file, the layer or column, and the remedy."""

    code = 1


class InvalidInput(LoadError):
    """The file cannot be landed as it is; nothing was changed."""

    code = 3


class SourceFailure(InvalidInput):
    """A source on the net did not give what it should; what had landed before is in place."""


class HeldDelivery(InvalidInput):
    """The file landed but is held at the gate; what is published stays as it was."""


class DatabaseFailure(LoadError):
    """The database refused, was lost, or is busy with the same safra; nothing was changed."""

    code = 4
