"""What is wrong: one thing, why, and what to type. Not here: finding it (the other modules)."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad; the exit code of ``python -m health`` is the worst."""

    NOTICE = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """As people read it, and as app.incidente keeps it."""
        return {Severity.NOTICE: "aviso", Severity.ERROR: "erro"}[self]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong now.

    Attributes:
        key: the incident's name: the same thing has it at the next look too. ``safra:401-2024``.
        severity: whether somebody has to act, or should know.
        what: a line that says it alone.
        reason: why, in the words of what found it; may be empty.
        command: what to type.
    """

    key: str
    severity: Severity
    what: str
    reason: str
    command: str

    @property
    def subject(self) -> str:
        """What kind of thing it is: the key up to its colon."""
        return self.key.partition(":")[0]
