"""GET analytics/consumo: energy and quality by one dimension, a resumo of marts each.

Belongs here: dimensions. Not here: energy by class and month (aneel/consumo, a list).
"""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field, create_model

from api import problems
from api.auth.caller import Reader
from api.database import Catalogue
from api.examples import example_of
from api.formats import ATTRIBUTION, MEDIA, Form
from api.listings.answer import Answering, respond
from api.listings.parameters import Integer, TablePaging, Text
from api.listings.query import Question, Sort, equal
from api.listings.routes import visible

PATH = "analytics/consumo"


class Dimension(StrEnum):
    """By what totals are made."""

    PLACE = "municipio"
    QUARTER = "bairro"
    DISTRIBUTOR = "distribuidora"
    SET = "conjunto"
    SEGMENT = "segmento"
    SUBGROUP = "subgrupo"
    CLASS = "classe"
    LAYER = "camada"


_SAFRA = ("ano", "distribuidora_id")
KEYS = {
    Dimension.PLACE: ("ano", "municipio_id"),
    Dimension.QUARTER: (*_SAFRA, "municipio_id", "bairro"),
    Dimension.DISTRIBUTOR: _SAFRA,
    Dimension.SET: (*_SAFRA, "conjunto_id"),
    Dimension.SEGMENT: (*_SAFRA, "segmento_mercado_id"),
    Dimension.SUBGROUP: (*_SAFRA, "subgrupo_tarifario_id"),
    Dimension.CLASS: (*_SAFRA, "classe_consumo_id"),
    Dimension.LAYER: ("ano", "camada"),
}
"""Dimension → what tells the rows of its resumo apart; all but the safra may be null."""


class Asked(TablePaging):
    """Filters of totals."""

    dimension: Dimension = Field(Dimension.PLACE, alias="dimensao", description="Por que se soma.")
    ano: list[Integer] = Field([], max_length=50, description="Ano da safra. Repetível.")
    distribuidora_id: list[Integer] = Field(
        [], max_length=50, alias="distribuidora", description="Código ANEEL. Repetível."
    )
    municipio_id: list[Integer] = Field(
        [], max_length=50, alias="municipio", description="Código IBGE. Repetível."
    )
    uf: list[Text] = Field([], max_length=27, description="Sigla do estado. Repetível.")


def router(catalogue: Catalogue) -> APIRouter:
    """The route of all dimensions."""
    made = APIRouter(tags=["Análises"])
    shown = {"itens": [example_of(PATH)], "cursor": None, "fonte": ATTRIBUTION}
    page = create_model(
        "Pagina_analytics_consumo",
        __config__=ConfigDict(json_schema_extra={"example": shown}),
        itens=(list[dict[str, Any]], ...),
        cursor=(str | None, ...),
        total=(int | None, None),
        fonte=(str, ...),
    )
    others = {MEDIA[Form.JSON]: {}}
    others |= {
        MEDIA[form]: {"schema": {"type": "string"}} for form in (Form.CSV, Form.XLSX, Form.PARQUET)
    }

    @made.get(
        f"/{PATH}",
        summary="Leads, energia e qualidade por dimensão",
        responses={200: {"model": page, "content": others}},
        response_class=Response,
    )
    def totals(request: Request, caller: Reader, asked: Annotated[Asked, Query()]) -> Response:
        """De todas as unidades; células pequenas com pessoas naturais vêm suprimidas."""
        relation = f"resumo_{asked.dimension}"
        columns = catalogue[relation]
        given = {c: getattr(asked, c) for c in ("ano", "distribuidora_id", "municipio_id", "uf")}
        values = {c: v for c, v in given.items() if v}
        if missing := sorted(values.keys() - columns.keys()):
            detail = f"por {asked.dimension} não há {', '.join(missing)}"
            raise problems.Refusal(problems.INVALID, detail)
        key = KEYS[asked.dimension]
        question = Question(
            relation=relation,
            columns=list(visible(columns)),
            key=key,
            nullable=frozenset(key) - {*_SAFRA},
            conditions=[equal(c, columns[c].type) for c in values],
            values=values,
            sort=Sort("energia_anual_kwh", descending=True),
        )
        return respond(
            request, caller, question, asked, Answering(relation, columns, by_safra=False)
        )

    return made
