"""What the panel shows first, and what is said there: news since a visit, alert rules, alerts seen.

Not here: judging rules (test_alerts.py), sessions (test_api_browser.py).
"""

from collections.abc import Iterator

import psycopg
import pytest

from api.auth.users import Role
from tests.integration import warehouse as a
from tests.integration.api_client import Api

NEWS, RULES, SEEN = "/api/v1/novidades", "/api/v1/alertas/regras", "/api/v1/alertas/reconhecimentos"
RULE = {
    **{"titulo": "DIC alto", "metrica": "dic_sobre_mediana", "nivel": "conjunto", "limite": 3},
    **{"histerese": 0.5, "destinatarios": ["ana@exemplo.com.br", "painel"]},
}
PUT_THERE = """
    insert into app.alerta (regra, nivel, distribuidora_id, alvo, ano, valor, valor_abertura,
        limite, aberto_em, visto_em, fechado_em, motivo_fechamento, evidencia)
    select 'dic_municipio_dobro_da_mediana', 'municipio', 401, n::text, 2024, 7, 7, 5,
        '2026-01-01T12:00Z'::timestamptz + n * interval '1 day', '2026-02-09T12:00Z', fim,
        case when fim is not null then 'voltou' end, '{}'
    from (values (1, null), (2, null), (3, '2026-01-31T12:00Z'::timestamptz), (4, null))
        as v (n, fim);
    insert into marts.mart_lead_score_mudanca (uc_id, score_antes, score_agora, quando,
        distribuidora_id, posicao_antes, posicao_agora, ano, oferta, motivo)
    select uc_id, antes, 50, '2026-01-03T12:00Z', distribuidora_id, de, para, ano, 'gtd', 'subiu'
    from (
        select *, row_number() over (order by uc_id) as n from marts.mart_lead
        where distribuidora_id = 401
    ) as l
    inner join (values (1, 10.0, 9, 3), (2, 60.0, 3, 9), (3, null, null, 2))
        as v (n, antes, de, para) using (n);
    insert into marts.mart_lead_score_mudanca (uc_id, score_antes, score_agora, quando,
        distribuidora_id, posicao_antes, posicao_agora, ano, oferta, motivo)
    select s.uc_id, null, s.score, '2026-01-03T12:00Z', s.distribuidora_id, null, s.posicao, s.ano,
        s.oferta, 'Arquivo novo da safra'
    from marts.mart_lead_score as s
    where s.uc_id = (
        select uc_id from marts.mart_lead where distribuidora_id = 401
        order by uc_id offset 3 limit 1
    );
    insert into intel_lead.import_status (arquivo, camada, status, data_inicio, data_fim, erro)
    values ('ruim.gdb', 'UCBT', 'failed', '2026-01-03T12:00Z', '2026-01-03T12:01Z', 'sem camada'),
        ('bom.gdb', 'UCBT', 'failed', '2026-01-03T12:00Z', '2026-01-03T12:01Z', 'sem camada'),
        ('ruim.gdb', 'UCMT', 'failed', '2026-01-03T12:00Z', '2026-01-03T12:01Z', 'sem camada'),
        ('bom.gdb', 'UCBT', 'completed', '2026-01-03T13:00Z', '2026-01-03T13:01Z', null)"""


@pytest.fixture(scope="module")
def there(api: Api, conn: psycopg.Connection) -> Iterator[None]:
    """Alerts, leads that moved and files that failed, on known days."""
    conn.execute(PUT_THERE)
    yield


def counted(api: Api, since: str, role: str = "leitor") -> dict[str, int]:
    """How many of each kind."""
    answer = api.get(f"{NEWS}?desde={since}", role)
    assert answer.status_code == 200, answer.text
    return {k: part["total"] for k, part in answer.json().items() if k != "desde"}


def test_what_happened_since_is_told_and_nothing_else(
    api: Api, there: None, conn: psycopg.Connection
) -> None:
    """Two open alerts are later; one lead rose, and one is a new unit's, in all its offers.

    The third one had its other offers all along. One file still fails, in two layers.
    """
    found = api.get(f"{NEWS}?desde=2026-01-02T12:00:00Z").json()
    safras = {one["safra"] for one in found["safras_publicadas"]["itens"]}
    assert safras == {"401-2024", "404-2024"}
    assert [one["nome"] for one in found["alertas_abertos"]["itens"]] == ["4", "2"]
    rose = found["leads_que_subiram"]
    query = "select uc_id::text from marts.mart_lead where distribuidora_id = 401 order by uc_id"
    units = [uc_id for (uc_id,) in conn.execute(query)][:4]
    places = {x["uc_id"]: x["posicao_antes"] for x in rose["itens"]}
    assert (rose["total"], places) == (2, {units[0]: 9, units[3]: None})
    failed = found["importacoes_que_falharam"]["itens"]
    assert [(x["arquivo"], x["camadas"]) for x in failed] == [("ruim.gdb", ["UCBT", "UCMT"])]
    later = counted(api, "2026-01-10T00:00:00Z")
    assert later.pop("safras_publicadas") == 2
    assert set(later.values()) == {0}


def test_without_a_day_it_is_since_the_callers_last_visit(
    api: Api, there: None, conn: psycopg.Connection
) -> None:
    conn.execute("update app.usuario set visita_anterior_em = '2026-01-02T12:00Z'")
    found = api.get(NEWS).json()
    assert found["desde"] == "2026-01-02T12:00:00+00:00"
    assert found["leads_que_subiram"]["total"] == 2
    conn.execute("update app.usuario set visita_anterior_em = null")
    assert api.get(NEWS).json()["leads_que_subiram"]["total"] == 0


def test_news_are_for_insiders_and_of_an_instant(api: Api) -> None:
    for role in Role:
        expected = 200 if role in (Role.READER, Role.SALES, Role.ADMIN) else 403
        assert api.get(NEWS, role).status_code == expected, role
    for wrong in ("2026-01-01T00:00:00", "ontem", "1700000000"):
        assert api.get(f"{NEWS}?desde={wrong}").status_code == 422, wrong


def test_an_alert_of_a_unit_names_its_lead(api: Api, there: None, conn: psycopg.Connection) -> None:
    """In the list and among the news, where the farthest beyond its limit comes first."""
    query = (
        "select uc_id::text, origem || '|' || cod_id from marts.mart_lead order by uc_id limit 1"
    )
    uc_id, thing = conn.execute(query).fetchone()
    opened = (
        "insert into app.alerta (regra, nivel, distribuidora_id, alvo, ano, valor, valor_abertura,"
        " limite, aberto_em, visto_em, evidencia) select 'cliente_acima_do_tipico', 'uc',"
        " distribuidora_id, %s, ano, 90, 90, 5, '2026-01-09T12:00Z', '2026-02-09T12:00Z', '{}'"
        " from marts.mart_lead where uc_id = %s returning id"
    )
    alert = conn.execute(opened, [thing, uc_id]).fetchone()[0]
    try:
        listed = {x["alerta_id"]: x["uc_id"] for x in api.get("/api/v1/alertas").json()["itens"]}
        assert listed.pop(alert) == uc_id
        assert {*listed.values()} == {None}
        first = api.get(f"{NEWS}?desde=2026-01-02T12:00:00Z").json()["alertas_abertos"]["itens"][0]
        assert (first["alerta_id"], first["uc_id"]) == (alert, uc_id)
    finally:
        conn.execute("delete from app.alerta where id = %s", [alert])


# Rules --------------------------------------------------------------------------------------------


def put(api: Api, path: str, body: dict, role: str = "comercial") -> tuple[int, dict]:
    """Status and body of a PUT."""
    answer = api.http.put(path, json=body, headers=api.bearer(role))
    return answer.status_code, answer.json() if answer.content else {}


def test_a_rule_is_made_changed_and_switched_off(api: Api, conn: psycopg.Connection) -> None:
    status, made = put(api, f"{RULES}/dic_alto", RULE)
    assert (status, made["problema"], made["alterada_por"]) == (201, "", "comercial")
    assert {k: made[k] for k in RULE} == RULE
    status, changed = put(api, f"{RULES}/dic_alto", RULE | {"limite": 4, "alvos": ["7"]}, "admin")
    assert (status, changed["limite"], changed["alterada_por"]) == (200, 4, "admin")
    row = "select limite, alvos, ativa, alterada_por from app.regra_alerta where chave = 'dic_alto'"
    assert conn.execute(row).fetchone() == (4, ["7"], True, "admin")
    assert api.delete(f"{RULES}/dic_alto", "comercial").status_code == 204
    assert conn.execute(row).fetchone() == (4, ["7"], False, "comercial")
    assert api.delete(f"{RULES}/nada", "comercial").status_code == 404
    listed = {rule["chave"]: rule for rule in api.get(RULES, "comercial").json()}
    assert listed["dic_alto"]["ativa"] is False
    assert listed["dic_alto"]["destinatarios"] == RULE["destinatarios"]
    shown = {rule["chave"]: rule for rule in api.get(RULES, "leitor").json()}
    assert shown["dic_alto"]["destinatarios"] is None


def test_a_rule_whose_editor_is_no_user_of_the_apis_is_its_login(conn: psycopg.Connection) -> None:
    """Only role intel_app says whom it speaks for."""
    with conn.transaction(force_rollback=True):
        conn.execute("select set_config('app.quem', 'outra', true)")
        conn.execute("update app.regra_alerta set limite = limite")
        names = "select distinct alterada_por from app.regra_alerta"
        assert conn.execute(names).fetchall() == [(conn.info.user,)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrica": "nenhuma"}, "não há a métrica nenhuma"),
        ({"nivel": "uc"}, "não é de nível uc; é de: "),
        ({"destinatarios": ["Ana <x>"]}, "nem e-mail nem nome de webhook"),
        ({"janela_meses": 3}, "janela_meses só pode ser 12"),
        ({"janela_meses": 13}, ""),
        ({"operador": "="}, ""),
        ({"limite": "3"}, ""),
        ({"histerese": -1}, ""),
        ({"titulo": ""}, ""),
        ({"titulo": "\0"}, ""),
        ({"outra": 1}, ""),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(
    api: Api, conn: psycopg.Connection, change: dict, said: str
) -> None:
    status, problem = put(api, f"{RULES}/ruim", RULE | change)
    assert (status, said in problem["detail"]) == (422, True), problem
    assert a.value(conn, "select count(*) from app.regra_alerta where chave = 'ruim'") == 0


def test_a_rules_key_is_a_short_name(api: Api) -> None:
    for key in ("Ruim", "1x", "x-y", "x" * 101, "x%00"):
        assert put(api, f"{RULES}/{key}", RULE)[0] in (404, 422), key


def test_every_metric_of_the_page_makes_a_rule(api: Api) -> None:
    for metric in api.get("/api/v1/alertas/metricas").json():
        rule = RULE | {"metrica": metric["metrica"], "nivel": metric["niveis"][0]}
        rule |= {"janela_meses": metric["janelas_meses"][0], "ativa": False}
        assert put(api, f"{RULES}/uma_de_cada", rule)[0] in (200, 201), metric


def test_an_alert_that_was_seen_stays_seen_by_the_first(
    api: Api, there: None, conn: psycopg.Connection
) -> None:
    alert = a.value(conn, "select max(id) from app.alerta")
    path = f"/api/v1/alertas/{alert}/reconhecimento"
    assert put(api, path, {"nota": "<b>já falei</b>"})[0] == 204
    assert put(api, path, {"nota": "eu também"}, "admin")[0] == 204
    (seen,) = api.get(SEEN).json()
    assert (seen["alerta_id"], seen["por"], seen["nota"]) == (alert, "comercial", "<b>já falei</b>")
    assert api.delete(path, "comercial").status_code == 204
    assert api.delete(path, "comercial").status_code == 404
    assert api.get(SEEN).json() == []
    assert put(api, "/api/v1/alertas/999999999/reconhecimento", {})[0] == 404


def test_who_only_reads_changes_nothing(api: Api) -> None:
    for role in ("leitor", "parceiro", "dispositivo"):
        assert put(api, f"{RULES}/dic_alto", RULE, role)[0] == 403
        assert put(api, "/api/v1/alertas/1/reconhecimento", {}, role)[0] == 403
        assert api.delete(f"{RULES}/dic_alto", role).status_code == 403
    for path in (RULES, SEEN, "/api/v1/alertas/metricas"):
        assert api.get(path, "parceiro").status_code == 403
