"""Anomalies: who sees them, what is read of the year before, and that they are those of pandas.

Not here: each kind's edges (dbt's unit tests), how many planted ones are found (bench/anomalies).
"""

from pathlib import Path

import psycopg
import pytest

from loaders.synthetic.writer import generate
from tests.golden import anomalies
from tests.golden.inputs import MUX
from tests.integration import warehouse as a
from tests.integration.test_reader import LEGAL_BY_CODE

BUILT = "select modelo || ' ' || distribuidora_id || '-' || ano, construida_em"
BUILT += " from controle.safra_construida where publicada"


@pytest.mark.skipif(not MUX.exists(), reason="the real release is not beside the clone")
def test_every_mark_of_mux_is_one_that_pandas_finds_in_the_file(golden: a.Warehouse) -> None:
    with golden.connect() as conn:
        rows = conn.execute(
            "select l.cod_id, x.tipo, x.mes from intel_lead.anomalia as x"
            " inner join intel_lead.lead_bruto as l using (uc_id, ano, distribuidora_id)"
            " where x.ano = 2024 and x.distribuidora_id = 401 and l.origem = 'UCBT'"
            " and x.tipo = any(%s)",
            [list(anomalies.KINDS)],
        ).fetchall()
    assert set(rows) == anomalies.expected(MUX, 2024)
    assert len(rows) > 900


def test_readers_see_no_natural_persons_anomaly(golden: a.Warehouse) -> None:
    """Units are legal persons'; a unit's sentence is of that unit, so it goes with it."""
    persons = f"select uc_id from intel_lead.lead_bruto as l where not ({LEGAL_BY_CODE})"
    persons += " or classe_consumo_id is null"
    with golden.connect() as conn:
        units = "select count(*) from {} where nivel = 'uc' and uc_id {} (" + persons + ")"
        assert a.value(conn, units.format("marts.mart_anomalia", "in")) == 0
        hidden = a.value(conn, units.format("intel_lead.anomalia", "in"))
        shown = a.value(conn, units.format("marts.mart_anomalia", "not in"))
        assert shown == a.value(conn, units.format("intel_lead.anomalia", "not in"))
        assert hidden > shown > 0
        columns = conn.execute("select * from marts.mart_anomalia limit 0").description
    assert " ".join(c.name for c in columns) == (
        "nivel serie_id uc_id distribuidora_id ano tipo mes valor esperado escore evidencia"
    )


def test_a_safra_built_again_has_the_same_anomalies(warehouse: a.Warehouse) -> None:
    with warehouse.connect() as conn:
        before = a.contents(conn, "intel_lead.anomalia")
        done = warehouse.build(safra="404-2024")
        assert done.ok, done.trouble
        assert a.contents(conn, "intel_lead.anomalia") == before
        assert before["intel_lead.anomalia"][0] > 0


def test_a_year_is_compared_with_the_published_one_before_it_and_follows_it(
    warehouse: a.Warehouse, tmp_path: Path
) -> None:
    """One that lands later makes the next build build the later year's anomalies, no lead."""
    file = generate(tmp_path / "antes.gdb.zip", ucs=200, distribuidora=404, ano=2023)
    with warehouse.connect() as conn:
        assert warehouse.load(file).ok
        done = warehouse.build()
        assert done.ok, done.trouble
        assert not _compared(conn)
        unit = a.value(
            conn,
            "select l.cod_id from intel_lead.lead_bruto as l"
            " inner join intel_lead.lead_perfil as p using (uc_id, ano, distribuidora_id)"
            " inner join intel_lead.lead_bruto as d on d.cod_id = l.cod_id and d.ano = 2024"
            " inner join intel_lead.lead_perfil as q on q.uc_id = d.uc_id and q.ano = 2024"
            " where l.ano = 2023 and l.distribuidora_id = 404"
            " and not 0 = any(p.energia_mes) and not 0 = any(q.energia_mes) order by 1 limit 1",
        )
        assert unit
        conn.execute(
            "update intel_lead.lead_perfil as p set energia_anual_kwh = 100 * energia_anual_kwh"
            " from intel_lead.lead_bruto as l where p.uc_id = l.uc_id and p.ano = 2023"
            " and l.ano = 2023 and l.cod_id = %s",
            [unit],
        )
        leaves = dict(conn.execute(BUILT))
        assert warehouse.build().ok
        again = dict(conn.execute(BUILT))
        changed = {n for n in again if again[n] != leaves.get(n)}
        assert "anomalia 404-2024" in changed
        assert all(n.endswith(" 404-2024") for n in changed)
        assert not changed & {f"{t} 404-2024" for t in ("lead_bruto", "lead_serie", "lead_perfil")}
        ((code, sentence),) = _compared(conn)
        assert code == unit
        assert "que a safra de 2023 fazia esperar" in sentence
        assert warehouse.build().ok
        assert dict(conn.execute(BUILT)) == again


def _compared(conn: psycopg.Connection) -> list[tuple]:
    return conn.execute(
        "select l.cod_id, x.evidencia from intel_lead.anomalia as x"
        " inner join intel_lead.lead_bruto as l using (uc_id, ano, distribuidora_id)"
        " where x.tipo = 'variacao_anual' and x.ano = 2024 and x.distribuidora_id = 404"
    ).fetchall()
