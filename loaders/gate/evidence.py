"""What is evidence that a content is not whole: findings, their limits, how sure one must be.

Belongs here: what a finding is, the limits of seeds/limite_entrega, chance. Not here: any look at
units (comparison.py, inspection.py). Evidence weighs by its number: a share is above its limit only
where chance would make it so once in ten million, so that a small base gets a wide limit.
"""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from loaders.environment import CLONE

LIMITS = Path(CLONE) / "seeds" / "limite_entrega.csv"
CERTAIN = math.log(1e7)
"""How sure a finding is: once in ten million by chance, as a natural logarithm."""
DOOR = "porta"
"""``Finding.reference`` of what only the landing saw: a verdict takes it over as it is."""


@dataclass(frozen=True)
class Finding:
    """One reason to hold a safra.

    Attributes:
        rule: a row of seeds/limite_entrega, or an expectation of structure.
        where: layer, group or month.
        reference: ``Reference.key``; '' where the content speaks for itself.
        text: the finding in a sentence, Portuguese, with its figures.
        figures: the same for a program; aggregates only.
    """

    rule: str
    where: str
    text: str
    reference: str = ""
    figures: Mapping[str, float | int | str | None] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What a release names; the same finding said in other words has the same."""
        return ":".join((self.rule, self.where, self.reference))

    @classmethod
    def of_stored(cls, kept: Mapping[str, Any]) -> "Finding":
        """The inverse of ``stored``."""
        return cls(kept["regra"], kept["onde"], kept["texto"], kept["referencia"], kept["figuras"])

    @property
    def stored(self) -> dict[str, object]:
        """As controle.veredito and controle.safra_importada keep it."""
        return {
            "id": self.id,
            "regra": self.rule,
            "onde": self.where,
            "referencia": self.reference,
            "texto": self.text,
            "figuras": dict(self.figures),
        }


def said(findings: Iterable[Finding]) -> str:
    """Findings in one line, as the ledger and dbt say them."""
    return "; ".join(finding.text for finding in findings)


@cache
def limits() -> dict[str, tuple[float, float]]:
    """The seed: rule → least and greatest; open where a side has none."""
    with LIMITS.open(encoding="utf-8", newline="") as opened:
        return {
            row["id"]: (float(row["minimo"] or -math.inf), float(row["maximo"] or math.inf))
            for row in csv.DictReader(opened)
        }


def most(rule: str) -> float:
    """The greatest that a rule admits."""
    return limits()[rule][1]


def least(rule: str) -> float:
    """The least that a rule admits."""
    return limits()[rule][0]


def beyond(count: int, of: int, limit: float) -> bool:
    """Whether ``count`` of ``of`` is above the share ``limit`` beyond chance (Chernoff's bound)."""
    if of == 0 or count <= limit * of:
        return False
    share = count / of
    far = share * math.log(share / limit)
    if share < 1:
        far += (1 - share) * math.log((1 - share) / (1 - limit))
    return of * far > CERTAIN


def pct(part: float, of: float) -> str:
    """A share for a person."""
    return f"{100 * part / of:.0f} %" if of else "0 %"
