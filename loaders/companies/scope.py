"""What of the registry is wanted: the leads' municípios, activities and CEPs.

Belongs here: that question to raw, Receita's codes of municípios. Not here: lines (filtering.py).
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from loaders.bdgd.layers import UC_LAYERS
from loaders.environment import CLONE
from loaders.errors import InvalidInput

TOM = Path(CLONE) / "seeds" / "municipio_tom.csv"
_CLASS_DIGITS = 5
"""Of a CNAE: what its class has; an establishment of a lead's class may be a candidate."""


@dataclass(frozen=True)
class Scope:
    """What is kept of the registry.

    Attributes:
        municipios: TOM code → IBGE code, of those that are wanted.
        classes: first five digits of the leads' CNAEs; empty: every activity.
        ceps: of leads that say no CNAE: there every activity counts.
    """

    municipios: dict[str, int]
    classes: frozenset[str]
    ceps: frozenset[str]

    @property
    def digest(self) -> str:
        """Identity of it: another one lands the same files again."""
        parts = (sorted(self.municipios), sorted(self.classes), sorted(self.ceps))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def wants(self, cnaes: Iterable[str], cep: str | None) -> bool:
        """Whether an establishment of a wanted município may be some lead's."""
        if not self.classes or cep in self.ceps:
            return True
        return any(cnae[:_CLASS_DIGITS] in self.classes for cnae in cnaes)


@cache
def tom_codes() -> dict[str, int]:
    """TOM code, four digits, → IBGE code, from seeds/municipio_tom."""
    with TOM.open(encoding="utf-8", newline="") as file:
        return {row["id"]: int(row["municipio_id"]) for row in csv.DictReader(file)}


def of_leads(conn: psycopg.Connection, asked: Iterable[int] = ()) -> Scope:
    """The scope of the safras that have landed, or of the municípios asked for.

    Raises:
        InvalidInput: nothing has landed and nothing is asked for, or a code that is none.
    """
    asked = set(asked)
    if unknown := asked - set(tom_codes().values()):
        raise InvalidInput(f"--municipios: {min(unknown)} não é código de município do IBGE")
    rows = conn.execute(
        sql.SQL(" union ").join(
            sql.SQL(
                "select distinct btrim(mun), translate(cnae, '-/. ', ''),"
                " case when translate(cnae, '-/. 0', '') = '' or cnae is null"
                " then translate(cep, '-. ', '') end from {} where clas_sub not like 'RE%'"
            ).format(sql.Identifier("raw", layer.table))
            for layer in UC_LAYERS
        )
    ).fetchall()
    wanted = asked or {int(mun) for mun, _, _ in rows if mun and mun.isdigit()}
    if not wanted:
        raise InvalidInput(
            "nenhuma safra aterrissou, e sem ela não se sabe que municípios interessam:"
            " carregue uma BDGD antes, ou diga --municipios 4309803,4316733"
        )
    classes = {cnae[:_CLASS_DIGITS] for _, cnae, _ in rows if cnae and cnae.strip("0")}
    return Scope(
        {tom: ibge for tom, ibge in tom_codes().items() if ibge in wanted},
        frozenset(classes),
        frozenset(cep for _, _, cep in rows if cep and cep.strip("0")),
    )
