"""Alerts and leads for a CRM on a built warehouse: real marts, no natural person, builds apart.

Not here: the steps of an alert (test_alerts.py), receivers (test_alert_delivery.py).
"""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from alerts.__main__ import app
from alerts.judge import judge
from dagster_pipeline import batch, status
from tests.integration import warehouse as a
from tests.integration.test_reader import LEGAL_BY_CODE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""Long past: what the commands do, they do now."""
PERSONS = f"""
    select cod_id from intel_lead.lead_bruto as l
    where not ({LEGAL_BY_CODE}) or classe_consumo_id is null
    except select cod_id from intel_lead.lead_bruto as l where {LEGAL_BY_CODE}"""


VISIBLE = """
    -- In files this small one unit has most of the energy, and every cell is hidden.
    update intel_lead.safra_celula set maior_energia_anual_kwh = 0;
    update intel_lead.safra_resumo set maior_energia_anual_kwh = 0;
    refresh materialized view marts.resumo_conjunto;
    refresh materialized view marts.resumo_municipio;
    refresh materialized view marts.resumo_distribuidora;
    -- A mark on every unit, persons' too, as if the mart of anomalies hid nobody.
    insert into intel_lead.anomalia (
        nivel, serie_id, uc_id, distribuidora_id, ano, tipo, mes, valor, esperado, escore, visivel,
        evidencia
    )
    select 'uc', uc_id, uc_id, distribuidora_id, ano, 'desvio_proprio', 3, 900, 100, 1.5, true,
        'Em março de 2024 consumiu 900 kWh.'
    from intel_lead.lead_bruto where distribuidora_id = 401
    on conflict do nothing"""


@pytest.fixture(scope="module")
def judged(warehouse: a.Warehouse) -> Iterator[psycopg.Connection]:
    """Limits so low that everything that a rule may see opens an alert."""
    with warehouse.connect() as conn:
        conn.execute(VISIBLE)
        conn.execute(
            "update app.regra_alerta set limite = 0, histerese = 0, ativa = true,"
            " destinatarios = '{sala}'"
        )
        conn.execute(
            "insert into app.regra_alerta (chave, titulo, metrica, nivel, limite)"
            " select 'r_' || nivel, 'DIC', 'dic_anual_h', nivel, 0"
            " from unnest('{municipio,conjunto,distribuidora}'::text[]) as nivel"
        )
        done = judge(conn, NOON)
        assert (done.problems, done.building) == ({}, False)
        yield conn


def test_the_rules_of_a_new_warehouse_are_judged_on_its_marts(judged: psycopg.Connection) -> None:
    """Of every kind that has something to say in these files; none is above a limit not known."""
    rules = {name for (name,) in judged.execute("select distinct regra from app.alerta")}
    assert {"cliente_acima_do_tipico", "dic_conjunto_dobro_da_mediana", "r_distribuidora"} <= rules
    assert "dic_conjunto_acima_do_limite" not in rules


def test_what_opens_is_what_readers_see_beyond_the_limit(judged: psycopg.Connection) -> None:
    """A hidden cell of the rollup opens nothing."""
    shown = judged.execute(
        "select ano, distribuidora_id, conjunto_id::text, media_dic_anual_h"
        " from marts.resumo_conjunto where media_dic_anual_h > 0 and conjunto_id is not null"
        " order by 1, 2, 3"
    ).fetchall()
    opened = judged.execute(
        "select ano, distribuidora_id, alvo, valor from app.alerta where regra = 'r_conjunto'"
        " order by 1, 2, 3"
    ).fetchall()
    assert opened == shown != []


def test_no_natural_person_is_in_any_evidence_delivery_or_list(
    warehouse: a.Warehouse, judged: psycopg.Connection
) -> None:
    """By the units' codes, wherever they stand in the text; the one of a legal person is found."""
    texts = [row for (row,) in judged.execute("select a::text from app.alerta as a")]
    texts += [row for (row,) in judged.execute("select e::text from app.entrega as e")]
    texts += [run(warehouse, "crm", "--score-minimo", "0", "--formato", "json")]
    words = set(" ".join(texts).replace('"', " ").replace("|", " ").replace(",", " ").split())
    persons = {code for (code,) in judged.execute(PERSONS)}
    legal = {code for (code,) in judged.execute("select cod_id from marts.mart_lead")}
    assert len(persons) > 50
    assert words & persons == set()
    assert words & legal


def test_no_build_touches_what_people_and_the_product_write(
    warehouse: a.Warehouse, judged: psycopg.Connection
) -> None:
    """A whole build, one safra anew; judged again nothing opens or closes; BI sees the same."""
    names = a.relations(judged, "app")
    before = a.contents(judged, *names)
    done = warehouse.build(*a.ALL, safra="404-2024")
    assert done.ok, done.trouble
    assert a.contents(judged, *names) == before
    again = judge(judged, NOON + timedelta(hours=1))
    assert (again.opened, again.closed) == ([], [])
    assert a.value(judged, "select count(*) from marts.mart_alerta where aberto") == again.open > 0


def test_the_batch_says_what_it_judged_and_a_bad_rule_is_a_problem(
    judged: psycopg.Connection,
) -> None:
    said: list[str] = []
    with judged.transaction(force_rollback=True):
        judged.execute("update app.regra_alerta set metrica = 'lua' where chave = 'r_conjunto'")
        judged.execute("delete from app.alerta where regra = 'cliente_acima_do_tipico'")
        problem = batch.alert(judged, say=said.append)
        outcome = batch.Outcome([], [], {}, batch.Build(), alerts=problem)
    assert "r_conjunto não julgada: não há a métrica lua" in problem
    assert (outcome.code, outcome.problems()) == (1, [problem])
    assert said[0].startswith("alertas  ")
    assert "INTEL_WEBHOOK_SALA não está no ambiente" in said[1]


def test_the_one_road_judges_alerts_after_what_it_built(
    warehouse: a.Warehouse, judged: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build itself is another module's: here it is one that had nothing to do."""
    for name, value in warehouse.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(batch, "build", lambda *_, **__: batch.Build(builds=1))
    monkeypatch.setattr(batch.manifest, "built_as", lambda _: "")
    monkeypatch.setattr(batch.manifest, "note_built", lambda _: None)
    judged.execute("delete from app.alerta where regra = 'r_conjunto'")
    said: list[str] = []
    batch.run([], say=said.append)
    assert any(line.startswith("alertas  ") for line in said)
    assert a.value(judged, "select count(*) from app.alerta where regra = 'r_conjunto'") > 0


def test_status_says_what_is_open_and_what_was_not_delivered(judged: psycopg.Connection) -> None:
    with judged.transaction(force_rollback=True):
        judged.execute("update app.entrega set situacao = 'morta', ultimo_erro = 'respondeu 500'")
        opened, dead = status.alerts(judged)
        count = a.value(judged, "select count(*) from app.alerta where fechado_em is null")
        letters = a.value(judged, "select count(*) from app.entrega")
    assert opened.startswith(f"Alertas abertos: {count}, o último em ")
    assert dead == f"Entregas: 0 pendentes, {letters} mortas (sala, respondeu 500)"


def run(warehouse: a.Warehouse, *arguments: str, code: int = 0) -> str:
    """What a command says."""
    done = CliRunner().invoke(app, list(arguments), env=dict(warehouse.env))
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def test_the_crm_gets_qualified_leads_and_none_that_is_in_contact(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """As CSV and as JSON the same, best first; who is in contact is in neither."""
    first = json.loads(run(warehouse, "crm", "--score-minimo", "60", "--formato", "json"))
    scores = [lead["score"] for lead in first]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 60
    assert a.value(conn, "select count(*) from marts.mart_lead_score where score >= 60") == len(
        first
    )
    assert {lead["empresa"] for lead in first} == {None}
    gone = first[0]["cod_id"], first[0]["distribuidora_id"]
    conn.execute("insert into app.contato values (%s, %s, 'em_contato')", gone[::-1])
    after = list(csv.DictReader(run(warehouse, "crm", "--score-minimo", "60").splitlines()))
    left = [x for x in first if (x["cod_id"], x["distribuidora_id"]) != gone]
    assert [(x["cod_id"], x["oferta"]) for x in after] == [(x["cod_id"], x["oferta"]) for x in left]
    assert len(after) < len(first)
    (header,) = run(warehouse, "crm", "--score-minimo", "100").splitlines()
    assert header.split(",") == list(first[0])


def test_the_crm_says_why_nothing_comes(warehouse: a.Warehouse, tmp_path: Path) -> None:
    """No lead as good as that, no such offer, no such folder."""

    def told(*arguments: str, code: int) -> str:
        done = CliRunner().invoke(app, ["crm", *arguments], env=dict(warehouse.env))
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    file = tmp_path / "leads.csv"
    said = told("--score-minimo", "100", "--saida", str(file), code=0)
    assert re.search(r"o maior score de cada oferta: arbitragem \d+, backup \d+", said)
    assert f"0 leads em {file}" in said
    assert "arbitragem, backup" in told("--oferta", "migraçao", code=2)
    assert "não se pode escrever em" in told("--saida", str(tmp_path / "x" / "y.csv"), code=1)


def test_the_commands_say_what_they_would_do_and_exit_by_what_they_did(
    warehouse: a.Warehouse, judged: psycopg.Connection
) -> None:
    before = a.contents(judged, *a.relations(judged, "app"))
    assert "simulação" in run(warehouse, "julgar", "--simular")
    assert "simulação" in run(warehouse, "enviar", "--simular")
    assert "simulação" in run(warehouse, "crm", "--enviar-para", "sala", "--simular")
    assert a.contents(judged, *a.relations(judged, "app")) == before
    assert "cliente_acima_do_tipico: consumo_sobre_tipico" in run(warehouse, "regras")
    assert "dic_sobre_limite (conjunto)" in run(warehouse, "regras", "--metricas")
    run(warehouse, "crm", "--enviar-para", "a@b.c", code=2)
    unreachable = CliRunner().invoke(app, ["julgar"], env={**warehouse.env, "PGPORT": "1"})
    assert unreachable.exit_code == 4
