"""What a report is of, where it is not all of a safra: municípios, offers, sections, a title.

Belongs here: the choice, its name in a file's name, what does not go together. Not here: asking for
it (figures.py), the sections themselves (templates/). The command, Dagster's job and the API all
make one of these.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from loaders.errors import InvalidInput
from reports import words
from reports.period import Kind


class Section(StrEnum):
    """As ``--secao`` has them, each a template."""

    CHANGES = "mudou"
    DEVICES = "aicss"
    CALL = "ligar"
    MAP = "mapa"
    ENERGY = "energia"
    PROFILES = "perfis"
    LEADS = "leads"
    QUALITY = "qualidade"
    LOSSES = "perdas"
    FORECAST = "previsao"
    ANOMALIES = "anomalias"
    LACKING = "faltas"
    ORIGIN = "origem"


Offer = StrEnum("Offer", {name: name for name in words.OFFERS})
_CHANGES = (Section.CHANGES, Section.DEVICES)
_WHOLE = tuple(s for s in Section if s not in (*_CHANGES, Section.CALL))
OF_KIND = {
    Kind.SAFRA: (Section.CALL, *_WHOLE),
    Kind.DAILY: (*_CHANGES, Section.CALL, Section.ORIGIN),
    Kind.WEEKLY: (*_CHANGES, Section.CALL, Section.ORIGIN),
    Kind.MONTHLY: (*_CHANGES, Section.CALL, *_WHOLE),
}
"""Kind → its sections in order."""
OF_NO_PLACE = frozenset({Section.DEVICES, Section.PROFILES, Section.LOSSES})
"""What no mart says of a município: devices, profiles and feeders are not one's."""
TITLE = 100
_READABLE = 80


@dataclass(frozen=True)
class Choice:
    """Nothing chosen: all of it.

    Attributes:
        places: IBGE's codes of municípios.
        title: above the page, instead of the kind's own.
    """

    places: tuple[int, ...] = ()
    offers: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    title: str = ""

    @classmethod
    def of(
        cls,
        places: Iterable[int] = (),
        offers: Iterable[str] = (),
        sections: Iterable[str] = (),
        title: str = "",
    ) -> "Choice":
        """The same choice whatever its order and repetitions.

        Raises:
            InvalidInput: there is no such offer or section, or the title is too long.
        """
        wanted_offers, wanted_sections = {*offers}, {*sections}
        for word, wanted, there in (
            ("oferta", wanted_offers, [*Offer]),
            ("seção", wanted_sections, [*Section]),
        ):
            if unknown := sorted(wanted - {*there}):
                raise InvalidInput(f"não há a {word} {', '.join(unknown)}; há: {', '.join(there)}")
        words_of_title = " ".join(title.split())
        if len(words_of_title) > TITLE:
            raise InvalidInput(f"o título passa de {TITLE} caracteres")
        return cls(
            tuple(sorted({*places})),
            tuple(o for o in Offer if o in wanted_offers),
            tuple(s for s in Section if s in wanted_sections),
            words_of_title,
        )

    def sections_of(self, kind: Kind) -> tuple[str, ...]:
        """Which sections a report of this kind has.

        Raises:
            InvalidInput: it has not one of those that are chosen, or no município has it.
        """
        whole = OF_KIND[kind]
        there = tuple(s for s in whole if not (self.places and s in OF_NO_PLACE))
        for section in self.sections:
            if section not in whole:
                raise InvalidInput(
                    f"no relatório {kind} não há a seção {section}; há: {', '.join(there)}"
                )
            if section not in there:
                raise InvalidInput(
                    f"a seção {section} não se faz por município: tire-a, ou tire o município"
                )
        return tuple(s for s in there if not self.sections or s in self.sections)

    @property
    def suffix(self) -> str:
        """What tells its file from others' of the safra; of the whole safra, nothing."""
        parts = [*map(str, self.places), *self.offers, *self.sections]
        if self.title:
            parts.append(_digest(self.title))
        text = "-".join(parts)
        if len(text) > _READABLE:
            text = f"{text[:40].rpartition('-')[0]}-{_digest(text)}"
        return f"-{text}" if text else ""


def _digest(text: str) -> str:
    return hashlib.sha256(re.sub(r"\s+", " ", text).encode()).hexdigest()[:10]
