"""What a declaration of a dataset says.

Belongs here: the shapes of a declaration. Not here: the declarations (aneel.py, ibge.py, ccee.py,
inmet.py), fetching, landing.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column's text must be able to become; the raw column is text all the same."""

    TEXT = "texto"
    NUMBER = "número"
    DEGREES = "coordenada"
    DATE = "data"
    MONTH = "mês"
    YEAR = "ano"
    INTEGER = "inteiro"


@dataclass(frozen=True)
class Column:
    """One column that is landed.

    Attributes:
        name: as the newest header writes it; in lower case it is the raw column.
        kind: what its text must be able to become.
        also: names that other vintages give it.
        needed: a row whose value is blank is rejected.
        optional: a file without it is landed, the column null.
        says: wordings that models look for; a file in which none of them stands has others.
        not_negative: a row whose number is less than nought is rejected.
    """

    name: str
    kind: Kind = Kind.TEXT
    also: tuple[str, ...] = ()
    needed: bool = False
    optional: bool = False
    says: tuple[str, ...] = ()
    not_negative: bool = False

    @property
    def raw(self) -> str:
        """The column's name in ``raw``."""
        return self.name.lower()

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its others, in lower case."""
        return tuple(name.lower() for name in (self.name, *self.also))


@dataclass(frozen=True)
class Origin:
    """Where a dataset is fetched.

    Attributes:
        way: ``ckan`` (a package's files), ``datastore`` (a resource page by page) or ``url``.
        base: of the API; for ``url`` the address itself, ``{ano}`` the year.
        package: CKAN's id of the dataset.
        resources: ids of its resources to take; none: those whose name ``choose`` finds.
        choose: pattern that a resource's name or address must match.
    """

    way: str
    base: str
    package: str = ""
    resources: tuple[str, ...] = ()
    choose: str = ""


@dataclass(frozen=True)
class Dataset:
    """A dataset: what it is called, what it has, whose it is, where it is.

    Attributes:
        id: ``raw.aberto_<id>``, and what a person types.
        title, publisher, licence, page, period: what a person is told of the source.
        caveat: what a reader must know before a sum.
        columns: those that are landed.
        origin: where it is fetched; None where it comes by file alone.
        cron: when its schedule asks the source, once switched on.
        fresh_days: days after which what is landed is old.
        by_year: column that says the year of a row: a new file replaces only its own years.
        rows: fewest rows of a whole file, and of each of its years.
        summed: models sum its rows: one that comes twice would count twice.
        private: columns of the file that are never landed.
        shape: ``tabela``, ``localidades``, ``sidra`` or ``estacoes`` (reshaping.py, stations.py).
        variable: code of SIDRA's variable that an answer must be of.
        most_bytes: greatest download, and greatest unpacked content.
    """

    id: str
    title: str
    publisher: str
    licence: str
    page: str
    period: str
    caveat: str
    columns: tuple[Column, ...]
    origin: Origin | None
    cron: str
    fresh_days: int
    by_year: str = ""
    rows: int = 1
    summed: bool = False
    private: tuple[str, ...] = ()
    shape: str = "tabela"
    variable: str = ""
    most_bytes: int = 4 * 2**30

    @property
    def table(self) -> str:
        """Name of the raw table, without its schema."""
        return f"aberto_{self.id}"
