"""Outcomes in the database: landed once, matched with the vintage before, weights used and undone.

Not here: what is learned of which outcomes (unit/test_learning.py), a CSV's rules
(unit/test_outcomes.py).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from learning import outcomes, publish, weights
from loaders.errors import InvalidInput
from loaders.outcomes import table
from loaders.outcomes.landing import land, take_back
from tests import companies as c
from tests.integration import warehouse as a

LANDED = ("raw.resultado_lead", "controle.resultado_arquivo")
CRITERION = "sazonalidade"
"""The seed gives it little weight."""
LEADS = f"""
    select s.distribuidora_id, s.cod_id, c.valor_normalizado
    from marts.mart_lead_criterio as c
    inner join marts.mart_lead_safra as s using (uc_id, ano, distribuidora_id)
    where c.oferta = 'eficiencia' and c.criterio = '{CRITERION}' order by md5(s.cod_id)
"""


def written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["distribuidora;cod_id;cnpj;oferta;resultado;data", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def sold(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who has the most uneven year bought; beside it rows that no unit's are."""
    with warehouse.connect() as conn:
        leads = conn.execute(LEADS).fetchall()
    assert len(leads) > 40
    rows = [
        f"{distributor};{code};;eficiencia;{'ganho' if value > 0.5 else 'perdido'};"
        f"{1 + n % 28:02d}/{1 + 12 * n // len(leads):02d}/2025"
        for n, (distributor, code, value) in enumerate(leads)
    ]
    first = leads[0]
    rows += [
        "401;;11222333000181;eficiencia;ganho;01/02/2025",
        "401;não existe;;eficiencia;ganho;01/02/2025",
        "9;x;;eficiencia;ganho;01/02/2025",
        f"{first[0]};{first[1]};;backup;ganho;31/12/2024",
    ]
    return written(tmp_path_factory.mktemp("r") / "vendas.csv", rows)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up safras have few legal persons."""
    for name, value in (("LEAST_LEADS", 40), ("LEAST_WON", 10), ("LEAST_JUDGED", 3)):
        monkeypatch.setattr(weights, name, value)
    monkeypatch.setattr(weights, "DOUBT", 0.2)


@pytest.fixture
def here(warehouse: a.Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    with warehouse.connect() as conn:
        monkeypatch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        yield conn


def test_a_file_lands_whole_once_and_can_be_taken_back(
    here: psycopg.Connection, sold: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    nothing = a.contents(here, *LANDED)
    bad = written(tmp_path / "ruim.csv", ["401;x;;backup;ganho;01/02/2025", "401;y;;nada;ganho;x"])
    with pytest.raises(InvalidInput, match="linha 3, oferta"):
        land(bad)
    assert a.contents(here, *LANDED) == nothing
    land(sold)
    landed = a.contents(here, *LANDED)
    lines = len(sold.read_text().splitlines()) - 1
    assert landed["raw.resultado_lead"][0] == lines
    assert "1 só com CNPJ (valem para as unidades" in caplog.text
    land(sold)
    assert a.contents(here, *LANDED) == landed
    row = sold.read_text().splitlines()[1]
    other = row.replace("ganho", "x").replace("perdido", "ganho").replace("x;", "perdido;")
    newer = written(tmp_path / "depois.csv", [other, sold.read_text().splitlines()[2]])
    land(newer)
    assert "1 já conhecidos, 1 corrigem o que se sabia" in caplog.text
    take_back(newer)
    with pytest.raises(InvalidInput, match="nada a desfazer"):
        take_back(newer)
    assert a.contents(here, *LANDED) == landed


def test_each_row_meets_the_vintage_before_it_or_says_why_not(
    here: psycopg.Connection, sold: Path
) -> None:
    land(sold)
    backup, efficiency = outcomes.read(here)
    assert (backup.offer, len(backup.won)) == ("backup", 0)
    assert backup.unmatched == {"sem safra publicada de antes do resultado": 1}
    assert efficiency.unmatched == {
        "CNPJ que não é a empresa certa de nenhuma unidade da safra de antes": 1,
        "unidade que não está na safra de antes": 1,
        "sem safra publicada de antes do resultado": 1,
    }
    assert len(efficiency.won) == efficiency.told - 3
    assert set(efficiency.vintage) == {2024}
    place = efficiency.criteria.index(CRITERION)
    assert ((efficiency.values[:, place] > 0.5) == efficiency.won).all()
    assert (efficiency.day[:-1] <= efficiency.day[1:]).all()


def test_a_cnpj_stands_for_the_units_whose_sure_company_it_is(
    here: psycopg.Connection, tmp_path: Path
) -> None:
    """Two units of one, with one's own later word; a company that is only possible is nobody's."""
    rows = here.execute(
        "select uc_id, distribuidora_id, cod_id from marts.mart_lead_safra inner join"
        " marts.mart_lead_criterio using (uc_id, ano, distribuidora_id)"
        f" where oferta = 'eficiencia' and criterio = '{CRITERION}' and distribuidora_id = 401"
        " order by uc_id limit 3"
    ).fetchall()
    sure, possible, nobodys = (c.cnpj(root) for root in ("11222333", "22333444", "33444555"))
    with here.transaction(force_rollback=True):
        for (uc_id, *_), cnpj in zip(rows, (sure, sure, possible), strict=True):
            here.execute(
                "insert into intel_lead.lead_empresa (uc_id, ano, distribuidora_id, cnpj,"
                " cnpj_basico, escore, entrega_id, candidatos, ordem, preenche_cnae, confianca,"
                " razao_social, natureza_juridica, cep, porte, evidencia) values (%s, 2024, 401,"
                " %s, %s, 70, 1, 1, 1, false, %s, 'EMPRESA', '2062', '95000001', 'Demais', '[]')",
                [uc_id, cnpj, cnpj[:8], "alta" if cnpj == sure else "possivel"],
            )
        said = [
            f"401;;{sure};eficiencia;ganho;01/02/2025",
            f"404;;{sure};eficiencia;ganho;01/02/2025",
            f"401;;{possible};eficiencia;ganho;01/02/2025",
            f"401;;{nobodys};eficiencia;ganho;31/12/2024",
            f"401;{rows[1][2]};{nobodys};eficiencia;perdido;02/02/2025",
        ]
        here.execute("delete from controle.resultado_arquivo")
        here.execute(
            "insert into controle.resultado_arquivo (arquivo_id, arquivo, sha256, linhas)"
            " overriding system value values (99, 'a', 'a', 5)"
        )
        for line, row in enumerate(table.read(written(tmp_path / "x.csv", said), date.today()), 2):
            here.execute(
                "insert into raw.resultado_lead (arquivo_id, linha, distribuidora_id, cod_id, cnpj,"
                " oferta, resultado, data) values (99, %s, %s, %s, %s, %s, %s, %s)",
                [line, row.distribuidora_id, row.cod_id, row.cnpj, row.offer, row.result, row.day],
            )
        (cases,) = outcomes.read(here)
    assert cases.unmatched == {
        "CNPJ que não é a empresa certa de nenhuma unidade da safra de antes": 2,
        "sem safra publicada de antes do resultado": 1,
    }
    assert (cases.told, sorted(cases.won)) == (5, [False, True])


def test_what_sales_say_of_a_lead_counts_as_an_outcome_while_it_is_their_last_word(
    here: psycopg.Connection, tmp_path: Path
) -> None:
    """Won stands above the file of the same day; a later word that is no outcome takes it back."""
    leads = here.execute(
        "select distribuidora_id, cod_id from marts.mart_lead_safra inner join"
        " marts.mart_lead_criterio using (uc_id, ano, distribuidora_id)"
        f" where oferta = 'eficiencia' and criterio = '{CRITERION}' and distribuidora_id = 401"
        " order by uc_id limit 2"
    ).fetchall()
    changes = [
        (*leads[0], "proposta", None),
        (*leads[0], "ganho", "2025-02-01"),
        (*leads[1], "perdido", "2025-02-01"),
        (*leads[1], "em_contato", None),
    ]
    with here.transaction(force_rollback=True):
        here.execute("delete from controle.resultado_arquivo")
        here.execute(
            "insert into controle.resultado_arquivo (arquivo_id, arquivo, sha256, linhas)"
            " overriding system value values (99, 'a', 'a', 1)"
        )
        here.execute(
            "insert into raw.resultado_lead (arquivo_id, linha, distribuidora_id, cod_id, oferta,"
            " resultado, data) values (99, 2, %s, %s, 'eficiencia', 'perdido', '2025-02-01')",
            leads[0],
        )
        (user,) = here.execute(
            "insert into app.usuario (nome, papel, senha_hash) values ('ana', 'comercial', 'x')"
            " returning id"
        ).fetchone()
        for change in changes:
            here.execute(
                "insert into app.acompanhamento (distribuidora_id, cod_id, situacao, resultado_em,"
                " oferta, alterado_por) values (%s, %s, %s, %s, 'eficiencia', %s)",
                [*change, user],
            )
        (cases,) = outcomes.read(here)
    assert (cases.told, list(cases.won), cases.unmatched) == (1, [True], {})


def test_weights_that_are_better_make_the_scores_until_they_are_undone(
    warehouse: a.Warehouse, here: psycopg.Connection, sold: Path, few_are_enough: None
) -> None:
    """The next build takes them, of that offer alone; undone they stay so until a new outcome."""
    land(sold)
    others = "select md5(string_agg(t::text, '' order by uc_id, oferta)) from"
    others += " marts.mart_lead_score as t where oferta <> 'eficiencia'"
    before = a.value(here, others)
    said: list[str] = []
    assert publish.update(here, said.append) == 1
    learned = dict(here.execute("select criterio, peso from raw.peso_aprendido").fetchall())
    assert sum(learned.values()) == pytest.approx(1, abs=1e-12)
    assert max(learned, key=learned.__getitem__) == CRITERION
    done = warehouse.build("--select", "peso_criterio", "mart_aprendizado", *a.SAFRAS[1:])
    assert done.ok, done.trouble
    origins = "select distinct oferta || ' ' || origem_pesos from marts.mart_lead_score"
    assert {x for (x,) in here.execute(origins) if x.endswith("aprendidos")} == {
        "eficiencia aprendidos"
    }
    weighed = "select bool_and(c.peso = p.peso) and count(*) > 0 from marts.mart_lead_criterio as c"
    weighed += " inner join raw.peso_aprendido as p using (oferta, criterio)"
    assert a.value(here, weighed)
    assert a.value(here, others) == before
    shown = "select origem_pesos, leads, auc_aprendidos > auc_semente from marts.mart_aprendizado"
    assert here.execute(f"{shown} where oferta = 'eficiencia'").fetchone()[0] == "aprendidos"
    assert publish.undo(here, ["backup"]) == []
    assert publish.undo(here, []) == ["eficiencia"]
    assert publish.update(here, said.append) == 0
    assert "desfeito por uma pessoa" in said[-1]
    assert a.value(here, "select count(*) from raw.peso_aprendido") == 0


def test_what_a_person_undid_stays_so_until_that_offers_outcomes_are_others(
    here: psycopg.Connection, sold: Path, few_are_enough: None
) -> None:
    """Another offer's outcome changes nothing of it; one of its own, said in the panel, does."""
    unit = here.execute(f"select distribuidora_id, cod_id from ({LEADS}) as l limit 1").fetchone()
    said = "insert into app.acompanhamento (distribuidora_id, cod_id, oferta, situacao,"
    said += " resultado_em, alterado_por) values (%s, %s, %s, 'perdido', '2025-12-30', %s)"
    told: list[str] = []
    with here.transaction(force_rollback=True):
        user = here.execute(
            "insert into app.usuario (nome, papel, senha_hash) values ('bia', 'comercial', 'x')"
            " returning id"
        ).fetchone()
        publish.undo(here, [])
        assert publish.update(here, told.append) == 0
        assert "eficiencia: desfeito por uma pessoa" in told[-1]
        here.execute(said, [*unit, "backup", *user])
        assert publish.update(here, told.append) == 0
        here.execute(said, [*unit, "eficiencia", *user])
        assert publish.update(here, told.append) == 1


def test_few_outcomes_leave_the_seeds_weights_and_say_so(
    here: psycopg.Connection, sold: Path
) -> None:
    land(sold)
    here.execute("update raw.aprendizado set desfeito = false")
    said: list[str] = []
    assert publish.update(here, said.append) == 0
    assert any("precisa de 200 e 30" in line for line in said)
    take_back(sold)
    assert publish.update(here, said.append) == 0
    assert "um juízo" in said[-1]
    assert a.value(here, "select count(*) from raw.aprendizado") == 0
