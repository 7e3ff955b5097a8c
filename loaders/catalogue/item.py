"""One thing that ANEEL publishes of the BDGD, whichever portal lists it.

Belongs here: its shape. Not here: how a portal says it (hub.py, ckan.py), what is kept of it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loaders.catalogue.titles import OddTitle, Title, parse

LICENCE = "ODbL-1.0"
LICENCE_URL = "https://opendatacommons.org/licenses/odbl/1-0/"


class Kind(StrEnum):
    """What an item holds; values of ``tipo``."""

    GEODATABASE = "geodatabase"
    CSV = "csv_pj"


@dataclass(frozen=True)
class Item:
    """What a portal says of one thing.

    Attributes:
        item_id: the portal's own.
        source: ``hub`` or ``ckan``.
        url: of its content.
        size: None where the portal does not say.
        names: other names that may say what the title does not.
    """

    item_id: str
    source: str
    kind: Kind
    title: str
    url: str
    modified_at: datetime | None = None
    size: int | None = None
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def read(self) -> Title | OddTitle:
        """What its title says, else another name of it; the title's fault, where none says it."""
        faults = []
        for name in (self.title, *self.names):
            try:
                return parse(name)
            except OddTitle as fault:
                faults.append(fault)
        return faults[0]
