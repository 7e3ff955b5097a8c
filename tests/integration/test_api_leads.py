"""What the API says of leads: every filter, every order, one with everything, its follow-up.

Not here: forms and tags, which all lists have (test_api_lists.py).
"""

import json
from datetime import date

import psycopg
import pytest
from psycopg import sql

from api.auth.users import Role
from api.leads.filters import Offer, Order
from tests.integration import warehouse as a
from tests.integration.api_client import Api
from tests.integration.test_api_lists import LEADS, of_marts, pages

FILTERS = [
    ("uf={uf}", "uf = %(uf)s"),
    ("municipio={municipio_id}", "municipio_id = %(municipio_id)s"),
    ("distribuidora={distribuidora_id}", "distribuidora_id = %(distribuidora_id)s"),
    ("segmento={segmento_mercado_id}", "segmento_mercado_id = %(segmento_mercado_id)s"),
    ("subgrupo={subgrupo_tarifario_id}", "subgrupo_tarifario_id = %(subgrupo_tarifario_id)s"),
    ("situacao={situacao}", "situacao = %(situacao)s"),
    ("camada=UCMT&camada=UCAT", "origem in ('UCMT', 'UCAT')"),
    ("livre=true", "livre"),
    ("livre=false", "not livre"),
    ("geracao=true", "possui_geracao"),
    ("demanda_min=30&demanda_max=5000", "demanda_contratada_kw between 30 and 5000"),
    ("energia_min=5000&energia_max=50000", "energia_anual_kwh between 5000 and 50000"),
    ("score_min=60", "melhor_score >= 60"),
    ("oferta=backup", "score_backup is not null"),
    ("oferta=eficiencia&score_min=40", "score_eficiencia >= 40"),
    ("bbox=-60,-35,-50,-25", "latitude between -35 and -25 and longitude between -60 and -50"),
    ("bbox=0,0,1,1", "false"),
]


@pytest.mark.parametrize(("asked", "meant"), FILTERS)
def test_every_filter_of_leads(api: Api, conn: psycopg.Connection, asked: str, meant: str) -> None:
    cursor = conn.execute(
        "select uf, municipio_id, distribuidora_id, segmento_mercado_id, subgrupo_tarifario_id,"
        " situacao from marts.mart_lead where origem = 'UCMT' and num_nulls(uf, municipio_id,"
        " segmento_mercado_id, subgrupo_tarifario_id) = 0 order by uc_id limit 1"
    )
    some = dict(zip((c.name for c in cursor.description), cursor.fetchone(), strict=True))
    query = f"select uc_id::text from marts.mart_lead where {meant}"
    expected = {uc_id for (uc_id,) in conn.execute(query, some)}
    rows = pages(api, f"{LEADS}?{asked.format(**some)}", 50)
    assert len(rows) == len(expected)
    assert {row["uc_id"] for row in rows} == expected
    assert expected or meant == "false"


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("offer", [None, Offer.BACKUP])
def test_leads_in_every_order_each_once(
    api: Api, conn: psycopg.Connection, order: Order, offer: Offer | None
) -> None:
    """Ties and leads without the figure lie on page borders too."""
    query = f"{LEADS}?ordem={order}" + (f"&oferta={offer}" if offer else "")
    rows = pages(api, query, 13)
    column = {
        Order.SCORE: f"score_{offer}" if offer else "melhor_score",
        Order.ENERGY: "energia_anual_kwh",
        Order.DEMAND: "demanda_contratada_kw",
        Order.INTERRUPTION: "dic_anual_h",
        Order.KEY: "uc_id",
    }[order]
    condition = f"score_{offer} is not null" if offer else "true"
    direction = "" if order is Order.KEY else "desc nulls last"
    whole = of_marts(
        conn,
        f"select uc_id::text from marts.mart_lead where {condition}"
        f" order by {column} {direction}, uc_id",
        [],
    )
    assert [row["uc_id"] for row in rows] == whole


def test_leads_in_a_polygon(api: Api, conn: psycopg.Connection) -> None:
    """A triangle, so that its box is not the answer."""
    box = conn.execute(
        "select min(longitude), min(latitude), max(longitude), max(latitude) from marts.mart_lead"
        " where distribuidora_id = 404"
    ).fetchone()
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, south]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    answer = api.http.post(
        f"{LEADS}/busca?limite=1000&total=true", json=polygon, headers=api.bearer("leitor")
    )
    expected = a.value(
        conn,
        "select count(*) from marts.mart_lead"
        " where st_intersects(geom, st_setsrid(st_geomfromgeojson(%s), 4674))",
        [json.dumps(polygon)],
    )
    everything = a.value(conn, "select count(*) from marts.mart_lead where distribuidora_id = 404")
    assert 0 < expected < everything
    assert answer.json()["total"] == len(answer.json()["itens"]) == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [3, 3]]]},
        {"type": "Polygon", "coordinates": [[[0, "x"], [1, 1], [2, 2], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1e300], [2, 2], [0, 0]]]},
    ],
)
def test_what_is_no_polygon_is_refused(api: Api, body: object) -> None:
    answer = api.http.post(f"{LEADS}/busca", json=body, headers=api.bearer("leitor"))
    assert answer.status_code == 422


# One lead, one município --------------------------------------------------------------------------


def test_one_lead_has_everything(api: Api, conn: psycopg.Connection) -> None:
    uc_id = a.value(
        conn, "select uc_id::text from marts.mart_lead where origem = 'UCMT' order by 1 limit 1"
    )
    answer = api.get(f"{LEADS}/{uc_id}")
    lead = answer.json()
    assert lead["detalhe"]["uc_id"] == lead["lead"]["uc_id"] == uc_id
    months = of_marts(
        conn,
        "select energia_total from marts.lead_energia_mensal where uc_id = %s order by mes",
        [uc_id],
    )
    assert [m["energia_total"] for m in lead["meses"]] == months
    assert [m["mes"] for m in lead["meses"]] == list(range(1, 13))
    assert all(m["demanda_total"] is not None for m in lead["meses"])
    scores = dict(
        conn.execute("select oferta, score from marts.mart_lead_score where uc_id = %s", [uc_id])
    )
    assert {s["oferta"]: s["score"] for s in lead["scores"]} == pytest.approx(
        {offer: float(score) for offer, score in scores.items()}
    )
    for score in lead["scores"]:
        total = sum(k["contribuicao"] for k in score["criterios"])
        assert total == pytest.approx(score["score"], abs=1e-4)
        assert score["motivo_1"]
    offers = {s["oferta"] for s in lead["scores"]} | {
        x["oferta"] for x in lead["ofertas_excluidas"]
    }
    assert offers == {str(offer) for offer in Offer}
    assert lead["conjunto"]["conjunto_id"] == lead["lead"]["conjunto_id"]
    assert lead["perfil"]["perfil_id"]
    distances = [n["distancia_m"] for n in lead["vizinhos"]]
    assert (len(distances), distances) == (8, sorted(distances))
    assert uc_id not in {n["uc_id"] for n in lead["vizinhos"]}
    tag = answer.headers["etag"]
    assert api.get(f"{LEADS}/{uc_id}", **{"If-None-Match": tag}).status_code == 304


def test_a_natural_persons_unit_is_no_lead(api: Api, conn: psycopg.Connection) -> None:
    person = a.value(
        conn,
        "select uc_id from intel_lead.lead_bruto where uc_id not in"
        " (select uc_id from marts.vw_lead_completo_detalhado) order by uc_id limit 1",
    )
    # The digits of the last ones name no year that a safra could have.
    other = ["00000000-0000-0000-0000-000000000000", "e3e70682-c209-1cac-a29f-6fbed82c07cd"]
    for uc_id in (person, *other, "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        assert api.get(f"{LEADS}/{uc_id}").status_code == 404
        assert api.get(f"{LEADS}/{uc_id}/acompanhamento").status_code == 404
    assert api.get(f"{LEADS}/x").status_code == 422


def test_a_companys_contacts_are_for_sales(api: Api, conn: psycopg.Connection) -> None:
    """Put where the registry's loader would leave it; both are a person's, perhaps."""
    unit = conn.execute(
        "select uc_id, ano, distribuidora_id from marts.mart_lead order by uc_id limit 1"
    ).fetchone()
    view = a.value(conn, "select pg_get_viewdef('marts.mart_lead_empresa'::regclass)")
    fake = (
        "create or replace view marts.mart_lead_empresa as select {} from"
        " (select 1) as x left join (select * from marts.mart_lead limit 0) as l on true"
    )
    columns = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'marts.mart_lead_empresa'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    given = {"uc_id": unit[0], "ano": unit[1], "distribuidora_id": unit[2], "ordem": 1}
    given |= {"telefone": "5130000000", "email": "a@example.org", "cnpj": "11222333000181"}
    parts = [
        sql.SQL("{}::{} as {}").format(sql.Literal(given.get(n)), sql.SQL(t), sql.Identifier(n))
        for n, t in columns
    ]
    conn.execute(sql.SQL(fake).format(sql.SQL(", ").join(parts)))
    try:
        for role in (Role.READER, Role.PARTNER, Role.SALES, Role.ADMIN):
            (company,) = api.get(f"{LEADS}/{unit[0]}", role).json()["empresas"]
            assert company["cnpj"] == "11222333000181"
            assert bool({"telefone", "email"} & company.keys()) == (
                role in (Role.SALES, Role.ADMIN)
            )
    finally:
        conn.execute(f"create or replace view marts.mart_lead_empresa as {view}")


def test_one_place(api: Api, conn: psycopg.Connection) -> None:
    place = a.value(conn, "select municipio_id from marts.mart_lead order by uc_id limit 1")
    found = api.get(f"/api/v1/municipios/{place}/resumo").json()
    assert found["contexto"]["municipio_id"] == place
    assert [y["ano"] for y in found["anos"]] == of_marts(
        conn,
        "select ano from marts.resumo_municipio where municipio_id = %s order by ano desc",
        [place],
    )
    assert found["bairros"]
    best = of_marts(
        conn,
        "select uc_id::text from marts.mart_lead where municipio_id = %s and melhor_score"
        " is not null order by melhor_score desc, uc_id limit 10",
        [place],
    )
    assert [lead["uc_id"] for lead in found["melhores_leads"]] == best
    assert api.get("/api/v1/municipios/1/resumo").status_code == 404
    assert api.get("/api/v1/municipios/99999999999/resumo").status_code == 422


# Follow-up ----------------------------------------------------------------------------------------


def test_follow_up_is_kept_by_unit_and_offer_with_who_and_when(
    api: Api, conn: psycopg.Connection
) -> None:
    uc_id, distributor, cod_id = conn.execute(
        "select uc_id::text, distribuidora_id, cod_id from marts.mart_lead order by uc_id limit 1"
    ).fetchone()
    path = f"{LEADS}/{uc_id}/acompanhamento"

    def put(role: str, offer: str = "backup", **said: object) -> int:
        headers = api.bearer(role)
        return api.http.put(f"{path}/{offer}", json=said, headers=headers).status_code

    assert put("comercial", situacao="em_contato", responsavel="Ana") == 204
    assert put("admin", situacao="ganho", resultado_em="2026-11-20") == 204
    assert put("comercial", "migracao", situacao="proposta") == 204
    backup, migration = api.get(path).json()
    assert (backup["oferta"], backup["situacao"], backup["alterado_por"]) == (
        "backup",
        "ganho",
        "admin",
    )
    assert date.fromisoformat(backup["resultado_em"]) == date(2026, 11, 20)
    assert (migration["situacao"], migration["alterado_por"]) == ("proposta", "comercial")
    kept = "select count(*) from app.acompanhamento where (distribuidora_id, cod_id) = (%s, %s)"
    assert a.value(conn, kept, [distributor, cod_id]) == 3
    contact = "select situacao from app.contato where (distribuidora_id, cod_id) = (%s, %s)"
    assert a.value(conn, contact, [distributor, cod_id]) == "cliente"
    assert put("leitor", situacao="novo") == 403
    assert put("parceiro", situacao="novo") == 403
    assert api.get(path, "parceiro").status_code == 403
    for wrong in (
        {"situacao": "ganho"},
        {"situacao": "proposta", "resultado_em": "2026-11-20"},
        {"situacao": "feito"},
        {"situacao": "novo", "observacao": "x" * 2001},
        {"situacao": "novo", "outro": 1},
        {"situacao": "ganho", "resultado_em": 0},
        {"situacao": "novo", "observacao": "a\0b"},
    ):
        assert put("comercial", **wrong) == 422, wrong
    assert put("comercial", "outra", situacao="novo") == 422
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("delete from app.acompanhamento")


def test_leads_are_found_by_what_was_last_said_of_them(api: Api, conn: psycopg.Connection) -> None:
    every = [row["uc_id"] for row in pages(api, f"{LEADS}?limite=500", 500)]
    first, second, third = every[-3:]

    def say(uc_id: str, offer: str, status: str) -> None:
        path = f"{LEADS}/{uc_id}/acompanhamento/{offer}"
        answer = api.http.put(path, json={"situacao": status}, headers=api.bearer("comercial"))
        assert answer.status_code == 204

    def found(query: str) -> set[str]:
        return {row["uc_id"] for row in pages(api, f"{LEADS}?{query}", 500)}

    tracked = {
        uc_id
        for (uc_id,) in conn.execute("""
        select l.uc_id::text from marts.mart_lead as l
        inner join app.acompanhamento using (distribuidora_id, cod_id)""")
    }
    say(first, "gtd", "proposta")
    say(first, "gtd", "descartado")
    say(first, "eficiencia", "novo")
    say(second, "gtd", "descartado")
    say(third, "gtd", "em_contato")
    assert found("acompanhamento=descartado") == {first, second}
    assert found("acompanhamento=descartado&acompanhamento=em_contato") >= {first, second, third}
    assert found("acompanhamento=novo&energia_min=0") == {first}
    network = {row["uc_id"] for row in pages(api, f"{LEADS}?oferta=gtd", 500)}
    assert found("oferta=gtd&acompanhamento=descartado") == {first, second} & network
    assert found("oferta=gtd&acompanhamento=nenhum") == network - {first, second, third}
    assert found("acompanhamento=nenhum") == {*every} - tracked - {first, second, third}
    unsaid_or_new = {*every} - tracked - {second, third}
    assert found("acompanhamento=nenhum&acompanhamento=novo") == unsaid_or_new
    area = {"type": "Polygon"}
    area["coordinates"] = [[[-75, -35], [-30, -35], [-30, 6], [-75, 6], [-75, -35]]]
    query = f"{LEADS}/busca?acompanhamento=descartado"
    drawn = api.http.post(query, json=area, headers=api.bearer("leitor")).json()["itens"]
    assert {row["uc_id"] for row in drawn} <= {first, second}
    assert api.get(f"{LEADS}?acompanhamento=novo", "parceiro").status_code == 403
    assert api.get(f"{LEADS}?acompanhamento=feito").status_code == 422

    many = "/api/v1/acompanhamento?" + "&".join(f"uc={uc_id}" for uc_id in (first, third, every[0]))
    said = {(row["uc_id"], row["oferta"]): row["situacao"] for row in api.get(many).json()}
    assert said.pop((first, "gtd")) == "descartado"
    assert said.pop((first, "eficiencia")) == "novo"
    assert said.pop((third, "gtd")) == "em_contato"
    assert {uc_id for uc_id, _ in said} <= {every[0]} & tracked
    assert api.get(many, "parceiro").status_code == 403
    assert api.get("/api/v1/acompanhamento").status_code == 422


def test_a_lead_says_where_its_data_come_from(api: Api, conn: psycopg.Connection) -> None:
    """marts.lead_enrichment_log: the rows of legal persons of intel_lead's, and no other."""
    legal = "select uc_id from marts.lead_com_coordenadas"
    rows = "select uc_id, etapa, resultado::text, detalhes from {}.lead_enrichment_log"
    whole = conn.execute(f"{rows.format('intel_lead')} where uc_id in ({legal})").fetchall()
    shown = conn.execute(rows.format("marts")).fetchall()
    assert sorted(map(str, shown)) == sorted(map(str, whole))
    assert len(shown) < a.value(conn, "select count(*) from intel_lead.lead_enrichment_log")
    uc_id = a.value(conn, "select uc_id from marts.mart_lead limit 1")
    said = api.get(f"{LEADS}/{uc_id}").json()["enriquecimento"]
    mine = {(step, how, why) for lead, step, how, why in whole if lead == uc_id}
    assert {(one["etapa"], one["resultado"], one["detalhes"]) for one in said} == mine != set()
