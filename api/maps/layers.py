"""Which layers of maps there are, at which zooms, and the statement of each.

Belongs here: one entry a layer. Not here: its SQL (the file of its name), HTTP (routes.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from loaders.ibge import zoom

MOST = 4000
"""Points of a tile that are drawn one by one; more are counted in cells of an eighth of 512."""


class Name(StrEnum):
    """A layer."""

    PLACES = "municipios"
    HEXAGONS = "hexagonos"
    LEADS = "leads"
    FEEDERS = "alimentadores"
    TRANSFORMERS = "transformadores"


@dataclass(frozen=True)
class Layer:
    """A layer.

    Attributes:
        summary: what it shows.
        zooms: the first and the last that tiles are made of; a map draws the last one larger.
        fields: of its features → what they mean; a null one is left out of a feature.
        classes: the first zoom of each → the value of ``%(classe)s`` in the statement.
        afar: the zoom below which another statement holds (the file with ``_longe``).
        by_mesh: it changes with the mesh, and not with a publication.
    """

    summary: str
    zooms: tuple[int, int]
    fields: Mapping[str, str]
    classes: Mapping[int, int] = field(default_factory=lambda: {0: 0})
    afar: int = 0
    by_mesh: bool = False


LAYERS = {
    Name.PLACES: Layer(
        "Municípios, simplificados por zoom sem frestas entre vizinhos",
        (0, 12),
        {
            "id": "Código IBGE: o número da feição.",
            "nome": "Nome; do zoom 6 em diante.",
            "uf": "Sigla da UF; do zoom 6 em diante.",
        },
        classes={first: first for first in zoom.CLASSES},
        by_mesh=True,
    ),
    Name.HEXAGONS: Layer(
        "Leads, energia e DIC por hexágono: de 8 km do zoom 5, de 2 km do 9, de 500 m do 12",
        (5, 13),
        {
            "hexagono": "Nome na grade do seu tamanho.",
            "distribuidora_id": "Código ANEEL.",
            "quantidade_leads": "Leads, residências também.",
            "energia_anual_kwh": "Energia deles no ano, kWh.",
            "media_dic_anual_h": "DIC anual médio, h.",
            "leads_com_geracao": "Leads com geração distribuída.",
            "suprimido": "Verdadeiro: célula pequena, sem medidas.",
        },
        classes={5: 8000, 9: 2000, 12: 500},
    ),
    Name.LEADS: Layer(
        "Leads: somados em células até o zoom 9; um a um do 10, se não são demais num bloco",
        (0, 16),
        {
            "uc_id": "O lead; falta onde a feição soma vários.",
            "quantidade_leads": "Quantos a feição soma; falta onde é um lead só.",
            "energia_anual_kwh": "Energia no ano, kWh.",
            "score": "O da melhor oferta; de vários, o maior.",
            "oferta": "A melhor oferta do lead.",
            "distribuidora_id": "Código ANEEL, de um lead só.",
        },
        afar=10,
    ),
    Name.FEEDERS: Layer(
        "O traçado dos alimentadores, simplificado por zoom, e a perda do ano",
        (8, 15),
        {
            "circuito": "Código do alimentador (CTMT).",
            "nome": "Nome.",
            "subestacao": "Subestação.",
            "distribuidora_id": "Código ANEEL.",
            "perdas_pct": "Perdas do ano, % do que entrou.",
            "situacao": "O que se sabe do balanço.",
        },
        classes={8: 8, 10: 10, 12: 12, 14: 14},
    ),
    Name.TRANSFORMERS: Layer(
        "Transformadores de distribuição, um a um, se não são demais num bloco",
        (12, 16),
        {
            "transformador": "Código; falta onde a feição soma vários.",
            "circuito": "Alimentador.",
            "distribuidora_id": "Código ANEEL.",
            "quantidade": "Quantos a feição soma; falta onde é um só.",
            "potencia_kva": "Potência, kVA.",
            "carregamento_maximo": "Maior carregamento (estimado).",
            "suprimido": "Verdadeiro: poucas unidades, sem medidas.",
        },
    ),
}


def statement(name: Name, z: int) -> str:
    """The SQL of a layer at a zoom."""
    return _text(f"{name}_longe" if z < LAYERS[name].afar else str(name))


@cache
def _text(file: str) -> str:
    return resources.files("api.maps").joinpath(f"{file}.sql").read_text(encoding="utf-8")


def values(name: Name, z: int, x: int, y: int) -> dict[str, Any]:
    """What a tile's statement is asked with."""
    classes = LAYERS[name].classes
    return {
        "z": z,
        "x": x,
        "y": y,
        "classe": classes[max(first for first in classes if first <= z)],
        # All of Brazil is in a tile or two: half the units of a tile are a fifth fewer bytes.
        "unidades": 2048 if z < 3 else 4096,
        "mais": MOST,
    }
