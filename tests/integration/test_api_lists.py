"""What the API's lists answer: the marts' own rows, every filter, every page, every form, tags.

Not here: who may ask (test_api_access.py), hostile requests (test_api_attacks.py).
"""

import csv
import io
import json
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from api.analytics.consumption import KEYS
from api.formats import ATTRIBUTION, Form
from api.listings.catalogue import LISTINGS, Listing
from loaders.companies.contacts import CONTACTS
from tests.integration import warehouse as a
from tests.integration.api_client import Api

LEADS = "/api/v1/leads"
ALL = [pytest.param(one, id=one.path) for one in LISTINGS]


def pages(api: Api, path: str, size: int) -> list[dict[str, Any]]:
    """All rows of a list, page after page by the Link of each."""
    rows, next_page = [], f"{path}{'&' if '?' in path else '?'}limite={size}"
    while next_page:
        answer = api.get(next_page)
        assert answer.status_code == 200, answer.text
        rows += answer.json()["itens"]
        following = answer.links.get("next")
        assert (following is None) == (answer.json()["cursor"] is None)
        next_page = following and following["url"]
    return rows


def of_marts(conn: psycopg.Connection, query: str, parameters: list[object]) -> list[Any]:
    """The first column of all rows."""
    return [row[0] for row in conn.execute(query, parameters)]


# Lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listing", ALL)
def test_all_pages_together_are_the_relation(
    api: Api, conn: psycopg.Connection, listing: Listing
) -> None:
    """Each row once, whatever it is ordered by; the figures are the database's."""
    query = sql.SQL("select to_jsonb(t) - {}::text[] from {} as t").format(
        sql.Literal([listing.geometry or "", *CONTACTS]), sql.Identifier("marts", listing.relation)
    )
    whole = of_marts(conn, query, [])
    size = min(1000, max(1, len(whole) // 3))
    orders = ["", *(f"ordem={sign}{s}" for s in listing.sorts for sign in ("", "-"))]
    for order in orders:
        rows = pages(api, f"/api/v1/{listing.path}?{order}", size)
        assert len(rows) == len(whole), order
        assert {key_of(listing, r) for r in rows} == {key_of(listing, r) for r in whole}
        if order:
            column = order.split("=")[1]
            found = [r[column.lstrip("-")] for r in rows if r[column.lstrip("-")] is not None]
            assert found == sorted(found, reverse=column.startswith("-"))
            assert all(r[column.lstrip("-")] is None for r in rows[len(found) :])
    shown = {key_of(listing, r): r for r in rows}
    for row in whole:
        made = {name: shown[key_of(listing, row)][name] for name in listing.made}
        assert flat(shown[key_of(listing, row)]) == flat(row | made)


def key_of(listing: Listing, row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a row apart."""
    return tuple(row[column] for column in listing.key)


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose instants are text of one form and whose figures are floats."""
    return {
        k: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else str(v)[:19]
        for k, v in row.items()
    }


@pytest.mark.parametrize("listing", ALL)
def test_every_filter_of_a_list_is_the_databases_own(
    api: Api, conn: psycopg.Connection, listing: Listing
) -> None:
    for column in listing.filters:
        name = listing.parameter(column)
        table = sql.Identifier("marts", listing.relation)
        query = sql.SQL("select {c}::text, count(*) from {t} where {c} is not null group by 1")
        found = conn.execute(query.format(c=sql.Identifier(column), t=table)).fetchall()
        for value, count in found[:2]:
            answer = api.http.get(
                f"/api/v1/{listing.path}",
                params={name: value, "total": "true", "limite": 1},
                headers=api.bearer("leitor"),
            )
            assert answer.status_code == 200, answer.text
            assert (answer.json()["total"], answer.headers["x-total"]) == (count, str(count))
            assert str(answer.json()["itens"][0][column]).lower() == value.lower()


def test_the_lists_have_rows_to_try_it_on(conn: psycopg.Connection) -> None:
    """A list that is empty here proves nothing: these alone are, without a build of theirs."""
    empty = {
        listing.path
        for listing in LISTINGS
        if not a.value(conn, f"select count(*) from marts.{listing.relation}")
    }
    of_two_vintages = {"diferencas", "diferencas/scores"}
    of_open_data = {"qualidade/conjuntos", "aneel/tarifas"}
    of_other_builds = {"alertas", "empresas", "analytics/previsao", "aicss/alertas"}
    assert empty <= of_open_data | of_other_builds | of_two_vintages


def test_what_a_list_does_not_know_is_refused(api: Api) -> None:
    for query in ("limite=0", "limite=1001", "outro=1", "ano=x", "ordem=cnpj", "cursor=%%%"):
        assert api.get(f"/api/v1/perdas?{query}").status_code == 422, query
    cursor = api.get("/api/v1/perdas?limite=1&ordem=-perdas_kwh").json()["cursor"]
    assert api.get(f"/api/v1/perdas?limite=1&cursor={cursor}").status_code == 422
    assert api.get(f"/api/v1/perdas?limite=1&ordem=-perdas_kwh&cursor={cursor}").status_code == 200


def test_tariffs_are_those_of_the_price_table(api: Api, conn: psycopg.Connection) -> None:
    """This warehouse has landed none: two are put where the build would leave them."""
    price = (
        "insert into intel_lead.tarifa_vigente (tarifa_id, tusd_brl_kwh, te_brl_kwh,"
        " distribuidora_id, inicio, subgrupo_tarifario_id, modalidade, posto, grandeza, classe,"
        " subclasse, detalhe, acessante) values (%s, 0.4, 0.3, 401, '2024-07-01', 'A4', 'verde',"
        " %s, 'energia', 'nao se aplica', 'nao se aplica', 'nao se aplica', 'nao se aplica')"
    )
    for key, hours in (("a", "ponta"), ("b", "fora_ponta")):
        conn.execute(price, [key, hours])
    try:
        rows = pages(api, "/api/v1/aneel/tarifas?distribuidora=401&subgrupo_tarifario=A4", 1)
        assert [(r["tarifa_id"], r["posto"], r["te_brl_kwh"]) for r in rows] == [
            ("a", "ponta", 0.3),
            ("b", "fora_ponta", 0.3),
        ]
        assert pages(api, "/api/v1/aneel/tarifas?posto=ponta", 5) == rows[:1]
    finally:
        conn.execute("delete from intel_lead.tarifa_vigente")


@pytest.mark.parametrize("dimension", list(KEYS))
def test_consumption_by_each_dimension(api: Api, conn: psycopg.Connection, dimension: str) -> None:
    rows = pages(api, f"/api/v1/analytics/consumo?dimensao={dimension}", 7)
    assert len(rows) == a.value(conn, f"select count(*) from marts.resumo_{dimension}") > 0
    assert all(row["energia_anual_kwh"] is None for row in rows if row["suprimido"])
    assert "geom" not in rows[0]


def test_a_dimension_without_a_column_says_so(api: Api) -> None:
    answer = api.get("/api/v1/analytics/consumo?dimensao=camada&uf=RS")
    assert (answer.status_code, answer.json()["detail"]) == (422, "por camada não há uf")


# Forms --------------------------------------------------------------------------------------------


def test_csv_geojson_and_parquet_say_what_json_says(api: Api) -> None:
    query = f"{LEADS}?limite=25&ordem=uc_id"
    rows = api.get(query).json()["itens"]
    as_csv = list(csv.DictReader(io.StringIO(api.get(query, Accept="text/csv").text)))
    geojson = api.get(query, Accept="application/geo+json").json()
    answer = api.get(query, Accept="application/vnd.apache.parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.schema.metadata[b"fonte"].decode() == ATTRIBUTION == geojson["fonte"]
    ids = [row["uc_id"] for row in rows]
    assert ids == [r["uc_id"] for r in as_csv] == table["uc_id"].to_pylist()
    assert ids == [feature["id"] for feature in geojson["features"]]
    for row, text, feature, column in zip(
        rows, as_csv, geojson["features"], table.to_pylist(), strict=True
    ):
        assert float(text["energia_anual_kwh"]) == row["energia_anual_kwh"]
        assert column["energia_anual_kwh"] == row["energia_anual_kwh"]
        assert column["energia_mes"] == row["energia_mes"] == json.loads(text["energia_mes"])
        assert feature["properties"] == row
        assert feature["geometry"]["type"] == "Point"
        place = [row["longitude"], row["latitude"]]
        assert feature["geometry"]["coordinates"] == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/csv;q=0.5, application/geo+json", "application/geo+json"),
        ("text/html, text/*;q=0.9, */*;q=0.1", "text/csv"),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
def test_accept_chooses_the_form(api: Api, accept: str, media: str | None) -> None:
    answer = api.get(f"{LEADS}?limite=1", Accept=accept)
    if media is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"].split(";")[0] == media


def test_every_answer_says_whose_data_they_are(api: Api) -> None:
    for form in Form:
        answer = api.get(f"{LEADS}?limite=1&formato={form}")
        assert "opendatacommons.org" in answer.headers["link"]
        assert "ANEEL" in answer.headers["x-fonte"]
    assert api.get(f"{LEADS}?limite=1").json()["fonte"] == ATTRIBUTION


# Tags ---------------------------------------------------------------------------------------------


def test_a_tag_holds_until_a_safra_is_published(api: Api, conn: psycopg.Connection) -> None:
    for path in (f"{LEADS}?limite=2", "/api/v1/distribuidoras", "/api/v1/perdas?limite=2"):
        tag = api.get(path).headers["etag"]
        again = api.get(path, **{"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert api.get(path, Accept="text/csv").headers["etag"] != tag
    path = f"{LEADS}?limite=2"
    tag = api.get(path).headers["etag"]
    later = "update intel_lead.safra_publicada set publicada_em = publicada_em {} interval '1 s'"
    conn.execute(later.format("+"))
    try:
        new = api.get(path, **{"If-None-Match": tag})
        assert new.status_code == 200
        assert new.headers["etag"] != tag
    finally:
        conn.execute(later.format("-"))
    assert api.get(path, **{"If-None-Match": tag}).status_code == 304


# Audit --------------------------------------------------------------------------------------------


def test_every_call_is_audited(api: Api, conn: psycopg.Connection) -> None:
    """Who, what, how many rows went out; refused ones too; the id is the answer's."""
    answer = api.get(f"{LEADS}?limite=7&uf=RS", "comercial")
    row = conn.execute(
        "select usuario, papel, metodo, caminho, consulta, status, linhas, host(ip)"
        " from app.auditoria where pedido = %s",
        [answer.headers["x-request-id"]],
    ).fetchone()
    rows = len(answer.json()["itens"])
    asked = "limite=7&uf=RS"
    assert row == ("comercial", "comercial", "GET", LEADS, asked, 200, rows, "127.0.0.1")
    refused = api.http.get(LEADS)
    audited = "select usuario, status, linhas from app.auditoria where pedido = %s"
    found = conn.execute(audited, [refused.headers["x-request-id"]]).fetchone()
    assert found == (None, 401, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("delete from app.auditoria")


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("limite=1001", "limite: no máximo 1000"),
        ("limite=x", "limite: é um número inteiro"),
        ("score_min=-1", "score_min: no mínimo 0"),
        ("oferta=outra", "oferta: é um de: migracao, arbitragem, backup, gtd, eficiencia"),
        ("outro=1", "outro: não se conhece aqui"),
        ("uf=rs", "uf: não tem a forma que se espera"),
        ("bbox=a,b,c,d", "bbox: oeste,sul,leste,norte, em graus"),
    ],
)
def test_a_refusal_names_the_field_and_its_limit(api: Api, asked: str, said: str) -> None:
    """Without where in the request it stood, and without what was sent."""
    problem = api.get(f"{LEADS}?{asked}").json()
    assert (problem["detail"], problem["erros"][0]["motivo"]) == (said, said.split(": ", 1)[1])
