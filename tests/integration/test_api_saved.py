"""Searches that somebody keeps, and leads as a spreadsheet's file.

Not here: what a search finds (test_api_leads.py), the other forms (test_api_lists.py).
"""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from xml.etree import ElementTree

import psycopg
import pytest

from api import workbook
from api.leads import saved
from tests.integration.api_client import Api

SAVED, LEADS = "/api/v1/buscas", "/api/v1/leads"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def keep(api: Api, name: str, query: str, role: str = "comercial") -> tuple[int, dict]:
    """Status and body of a search that is to be kept."""
    body = {"nome": name, "consulta": query}
    answer = api.http.post(SAVED, json=body, headers=api.bearer(role))
    return answer.status_code, answer.json()


def test_a_search_is_kept_for_its_owner_alone(api: Api) -> None:
    status, one = keep(api, " Baterias ", "uf=RS&uf=SC&oferta=arbitragem&score_min=50")
    assert (status, one["nome"]) == (201, "Baterias")
    assert keep(api, "Outra", "livre=false")[0] == 201
    status, again = keep(api, "Baterias", "oferta=backup")
    assert (status, again["id"]) == (201, one["id"])
    mine = api.get(SAVED, "comercial").json()
    assert [(x["nome"], x["consulta"]) for x in mine] == [
        ("Baterias", "oferta=backup"),
        ("Outra", "livre=false"),
    ]
    assert api.get(f"{LEADS}?{mine[0]['consulta']}", "comercial").status_code == 200
    assert api.get(SAVED, "leitor").json() == []
    assert api.delete(f"{SAVED}/{one['id']}", "leitor").status_code == 404
    assert api.delete(f"{SAVED}/{one['id']}", "comercial").status_code == 204
    assert [x["nome"] for x in api.get(SAVED, "comercial").json()] == ["Outra"]
    assert api.get(SAVED, "parceiro").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "camada=UCMT",
        "acompanhamento=nenhum&oferta=backup",
        "municipio=4320909&area=-52.2%2C-28.2+-51.8%2C-28.2+-51.8%2C-27.9",
    ],
)
def test_whatever_the_panel_can_ask_is_kept(api: Api, query: str) -> None:
    assert keep(api, "Da barra", query, "admin")[0] == 201


@pytest.mark.parametrize(
    "query",
    [
        "nada=1",
        "area=x",
        "uf=rs",
        "livre=talvez",
        "energia_min=5&energia_max=1",
        "oferta=a&oferta=b",
        "\0",
    ],
)
def test_what_is_no_search_is_not_kept(api: Api, query: str) -> None:
    assert keep(api, "Ruim", query)[0] == 422
    assert "Ruim" not in {x["nome"] for x in api.get(SAVED, "comercial").json()}


def test_nobody_keeps_more_than_some(
    api: Api, monkeypatch: pytest.MonkeyPatch, conn: psycopg.Connection
) -> None:
    conn.execute("delete from app.busca_salva")
    monkeypatch.setattr(saved, "MOST", 2)
    assert [keep(api, name, "", "leitor")[0] for name in ("a", "b", "c")] == [201, 201, 422]


# XLSX ---------------------------------------------------------------------------------------------


def cells(content: bytes, sheet: int = 1) -> list[dict[str, str]]:
    """Of every row of a sheet the cells that are there, by the letters of their column."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
        strings = []
        if "xl/sharedStrings.xml" in book.namelist():
            shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
            strings = ["".join(one.itertext()) for one in shared]
    assert not list(tree.iter(f"{SHEET}f")), "a formula"
    found = []
    for row in tree.iter(f"{SHEET}row"):
        found.append({})
        for cell in row:
            text = "".join(cell.itertext())
            column = cell.get("r").rstrip("0123456789")
            found[-1][column] = strings[int(text)] if cell.get("t") == "s" else text
    return found


def test_leads_come_as_a_spreadsheet_with_the_rows_of_the_list(api: Api) -> None:
    query = f"{LEADS}?limite=7&ordem=-energia"
    rows = api.get(query).json()["itens"]
    answer = api.get(f"{query}&formato=xlsx")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    assert answer.headers["content-disposition"] == 'attachment; filename="leads.xlsx"'
    head, *body = cells(answer.content)
    assert [*head.values()] == [*rows[0]]
    column = {name: letters for letters, name in head.items()}
    assert len(body) == len(rows) == 7
    for row, shown in zip(rows, body, strict=True):
        assert shown[column["uc_id"]] == row["uc_id"]
        energy = float(shown[column["energia_anual_kwh"]])
        assert energy == pytest.approx(row["energia_anual_kwh"])
        assert shown[column["livre"]] == str(int(row["livre"]))
        missing = {column[name] for name, value in row.items() if value is None}
        assert {*head} - {*shown} == missing
    assert "ODbL" in cells(answer.content, 2)[0]["A"]
    accepted = api.get(query, Accept=answer.headers["content-type"])
    assert cells(accepted.content) == cells(answer.content)


def test_nothing_in_a_spreadsheet_is_run() -> None:
    row = {
        **{"a": "=1+1", "b": "http://x", "c": {"k": [1]}, "d": None, "e": float("nan"), "f": True},
        **{"g": Decimal("1.5"), "h": date(2026, 1, 2), "i": datetime(2026, 1, 2, tzinfo=UTC)},
        **{"j": UUID(int=7), "k": "x" * 40_000},
    }
    _, shown = cells(workbook.as_xlsx([*row], [row]))
    assert [shown[c] for c in "ABC"] == ["=1+1", "http://x", '{"k":[1]}']
    assert [shown[c] for c in "FGHIJ"] == [
        *("1", "1.5", "46024", "2026-01-02T00:00:00+00:00", str(UUID(int=7))),
    ]
    assert len(shown["K"]) == workbook.LONGEST
    assert {*"DE"} & {*shown} == set()
