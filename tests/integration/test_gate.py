"""The landing gate on a database: what is held, what is released, what is published.

Not here: limits and rules by themselves (tests/unit/test_gate.py).
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench import power
from loaders import ledger
from loaders.__main__ import app
from loaders.bdgd.gdb_tables import catalogue
from loaders.connection import connect, prepare
from loaders.gate import hold, units, verdict
from loaders.gate.evidence import Finding
from loaders.gate.references import landed, references
from loaders.gate.units import Content
from loaders.gate.verdict import Verdict
from loaders.safra import Safra
from loaders.synthetic.recipe import Fault
from loaders.synthetic.writer import generate
from scripts import quality_page
from tests.integration import warehouse as a


def run(*arguments: object) -> int:
    return CliRunner().invoke(app, [*map(str, arguments)]).exit_code


@pytest.fixture
def base(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        prepare(connection)
        yield connection


def state(conn: psycopg.Connection, dist: int, year: int = 2024) -> tuple[bool, str, set[str]]:
    """Whether a safra is held, why, and what its newest executions say."""
    held, reason, import_id = conn.execute(
        "select retida, coalesce(motivo_retencao, ''), import_id from controle.safra_importada"
        " where (distribuidora_id, ano) = (%s, %s)",
        [dist, year],
    ).fetchone()
    said = conn.execute(
        "select distinct status::text from intel_lead.import_status"
        " where (distribuidora_id, ano) = (%s, %s) and sha256 = (select sha256"
        "  from intel_lead.import_status where import_id = %s)",
        [dist, year, import_id],
    ).fetchall()
    return held, reason, {status for (status,) in said}


# What a file may lack, and what life does ---------------------------------------------------------

FACTORS = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def distributor(
    database: dict[str, str],
) -> Iterator[tuple[psycopg.Connection, power.Base, Content]]:
    """A vintage of 3,000 units, landed in temporary tables once for all draws."""
    with connect() as conn:
        prepare(conn)
        with conn.transaction(force_rollback=True):
            first = power.first(np.random.default_rng(7), 3_000)
            yield conn, first, power.land(conn, "before", first)


@pytest.mark.parametrize("damage", power.DAMAGES)
@FACTORS
@given(seed=st.integers(0, 2**32))
def test_a_file_that_falls_short_is_held(
    distributor: tuple[psycopg.Connection, power.Base, Content], damage: str, seed: int
) -> None:
    conn, units, before = distributor
    rng = np.random.default_rng(seed)
    short = power.DAMAGES[damage](rng, power.next_year(rng, units))
    assert power.findings(conn, power.land(conn, "now", short), before)


@pytest.mark.parametrize("change", power.CHANGES)
@FACTORS
@given(seed=st.integers(0, 2**32))
def test_a_whole_file_passes_whatever_life_did(
    distributor: tuple[psycopg.Connection, power.Base, Content], change: str, seed: int
) -> None:
    conn, units, before = distributor
    whole = power.CHANGES[change](np.random.default_rng(seed), units)
    assert power.findings(conn, power.land(conn, "now", whole), before) == []


@FACTORS
@given(seed=st.integers(0, 2**32), units=st.integers(60, 400))
def test_a_small_whole_file_passes_too(database: dict[str, str], seed: int, units: int) -> None:
    rng = np.random.default_rng(seed)
    with connect() as conn, conn.transaction(force_rollback=True):
        first = power.first(rng, units)
        before = power.land(conn, "before", first)
        later = power.next_year(rng, first, close=0.08, open_=0.15, overall=0.85)
        assert power.findings(conn, power.land(conn, "now", later), before) == []


def test_without_common_codes_the_finding_says_that_only_totals_were_compared(
    distributor: tuple[psycopg.Connection, power.Base, Content],
) -> None:
    conn, units, before = distributor
    rng = np.random.default_rng(3)
    anew = power.CHANGES["every COD_ID made anew"](rng, units)
    half = anew.keep(rng.random(len(anew.code)) < 0.5)
    found = power.findings(conn, power.land(conn, "now", half), before)
    assert any("só os totais" in finding.text for finding in found)


@pytest.mark.parametrize(("times", "held"), [(4, True), (1.3, False)])
@pytest.mark.parametrize("units", [30, 300])
def test_no_distributor_grows_to_many_times_its_units(
    database: dict[str, str], units: int, times: float, held: bool
) -> None:
    """Whatever their energy is, and whether a code is known from before."""
    rng = np.random.default_rng(5)
    with connect() as conn, conn.transaction(force_rollback=True):
        first = power.first(rng, units)
        before = power.land(conn, "before", first)
        later = power.next_year(rng, first, open_=times - 1)
        for codes in (later.code, later.code + 10**9):
            now = power.land(conn, "now", replace(later, code=codes))
            rules = {finding.rule for finding in power.findings(conn, now, before)}
            assert ("unidades_a_mais" in rules) == held


# Deliveries ---------------------------------------------------------------------------------------


def test_a_truncated_vintage_lands_and_is_held_and_a_whole_one_clears_it(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    before = generate(tmp_path / "a.gdb", ucs=400, distribuidora=2001, ano=2023)
    cut = generate(tmp_path / "b.gdb", ucs=150, distribuidora=2001, ano=2024)
    whole = generate(tmp_path / "c.gdb", ucs=400, distribuidora=2001, ano=2024)
    assert run("bdgd", before) == 0
    assert run("bdgd", cut) == 3
    held, reason, said = state(base, 2001)
    assert held and said == {"failed"}
    assert "a safra 2001-2023" in reason
    (rows,) = base.execute(
        "select count(*) from raw.ucbt where (distribuidora_id, ano) = (2001, 2024)"
    ).fetchone()
    assert rows == 148, "it did not land"
    found = references(base, Safra.from_key("2001-2025"), ["UCBT"], complete=True, replaced={})
    assert [one.key for one in found] == ["2023"], "what is held is no reference"
    (error,) = base.execute(
        "select erro from intel_lead.import_status"
        " where (distribuidora_id, ano, camada) = (2001, 2024, 'UCBT')"
    ).fetchone()
    assert "loaders liberar 2001-2024" in error
    assert run("bdgd", cut) == 3, "the same file again"
    assert run("julgar", "2001-2024") == 3
    assert run("bdgd", whole) == 0
    assert run("julgar") == 0
    assert state(base, 2001) == (False, "", {"completed"})
    assert state(base, 2001, 2023)[0] is False


def asides(conn: psycopg.Connection, dist: int, year: int = 2024) -> set[str]:
    return set(landed(conn, Safra.from_key(f"{dist}-{year}")).aside)


def test_a_truncated_second_send_does_not_lower_the_bar(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    """What is compared with is the accepted content, kept aside until a verdict has passed."""
    first = generate(tmp_path / "a.gdb", ucs=400, distribuidora=2002)
    assert run("bdgd", first) == 0
    for seed in (1, 2):
        cut = generate(tmp_path / f"b{seed}.gdb", ucs=150, seed=seed, distribuidora=2002)
        assert run("bdgd", cut) == 3
        assert "o conteúdo que substitui" in state(base, 2002)[1]
        assert "UCBT" in asides(base, 2002)
    assert run("bdgd", first) == 0, "the first file again is no news that is done already"
    assert state(base, 2002) == (False, "", {"completed"})
    assert run("julgar", "2002-2024") == 0
    assert asides(base, 2002) == set()


def test_an_older_vintage_is_compared_with_the_later_one(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert run("bdgd", generate(tmp_path / "a.gdb", ucs=400, distribuidora=2003, ano=2024)) == 0
    assert run("bdgd", generate(tmp_path / "b.gdb", ucs=150, distribuidora=2003, ano=2023)) == 3
    assert "a safra 2003-2024" in state(base, 2003, 2023)[1]
    assert run("bdgd", generate(tmp_path / "c.gdb", ucs=400, distribuidora=2003, ano=2023)) == 0
    for year, other, later in ((2023, "2024", True), (2024, "2023", False)):
        safra = Safra.from_key(f"2003-{year}")
        found = references(base, safra, ["UCBT"], complete=True, replaced={})
        assert [(one.key, one.later) for one in found] == [(other, later)]


@pytest.mark.parametrize(
    ("missing", "dist"), [("sem_camada_ponnot", 2004), ("sem_camada_ucbt", 2005)]
)
def test_a_missing_layer_is_held_beside_a_reference_that_had_it(
    base: psycopg.Connection, tmp_path: Path, missing: str, dist: int
) -> None:
    assert run("bdgd", generate(tmp_path / "a.gdb", ucs=400, distribuidora=dist, ano=2023)) == 0
    without = generate(tmp_path / "b.gdb", ucs=400, distribuidora=dist, faults=[missing])
    assert run("bdgd", without) == 3
    assert missing.split("_")[-1].upper() in state(base, dist)[1]


def test_a_missing_layer_at_first_sight_is_no_reason(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    without = generate(
        tmp_path / "a.gdb", ucs=400, distribuidora=2006, faults=["sem_camada_ponnot"]
    )
    assert run("bdgd", without) == 0
    assert run("julgar", "2006-2024") == 0


def lose(gdb: Path, name: str) -> Path:
    """Take a layer's table out of a geodatabase."""
    number = next(n for n, listed in catalogue(gdb).items() if listed == name)
    (gdb / f"{number}.gdbtable").unlink()
    return gdb


@pytest.mark.parametrize(("later_first", "dist"), [(False, 2031), (True, 2032)])
def test_a_copy_that_is_said_to_lack_a_layer_is_compared_by_what_both_have(
    base: psycopg.Connection, tmp_path: Path, later_first: bool, dist: int
) -> None:
    lacking = lose(generate(tmp_path / "a.gdb", ucs=400, distribuidora=dist, ano=2023), "UCBT_tab")
    later = generate(tmp_path / "b.gdb", ucs=400, distribuidora=dist, ano=2024)
    assert run("bdgd", lacking) == 3
    sends = [(lacking, "--sem-camada", "ucbt_tab"), (later,)]
    for send in reversed(sends) if later_first else sends:
        assert run("bdgd", *send) == 0
    assert run("julgar", f"{dist}-2023", f"{dist}-2024") == 0
    rows, note = base.execute(
        "select linhas_processadas, observacoes from intel_lead.import_status"
        " where (distribuidora_id, ano, camada, status) = (%s, 2023, 'UCBT', 'completed')",
        [dist],
    ).fetchone()
    assert rows == 0 and "camada ausente desta cópia, como declarado" in note
    (audited,) = base.execute(
        "select detalhes ->> 'camadas' from controle.auditoria where objeto = %s", [f"{dist}-2023"]
    ).fetchone()
    assert audited == '["UCBT"]'


def test_a_copy_that_lacks_a_layer_lowers_no_bar(base: psycopg.Connection, tmp_path: Path) -> None:
    """Not for what it would replace, nor for a later vintage, which an older one can tell."""
    whole = generate(tmp_path / "a.gdb", ucs=400, distribuidora=2033, ano=2023)
    copied = Path(shutil.copytree(whole, tmp_path / "b.gdb"))
    lacking = lose(copied, "UCBT_tab")
    assert run("bdgd", whole) == 0
    assert run("bdgd", lacking, "--sem-camada", "UCBT") == 3
    assert "o conteúdo que substitui" in state(base, 2033, 2023)[1]
    assert run("bdgd", whole) == 0
    newer = lose(generate(tmp_path / "c.gdb", ucs=400, distribuidora=2033, ano=2024), "UCBT_tab")
    assert run("bdgd", newer, "--sem-camada", "UCBT") == 0
    cut = generate(tmp_path / "d.gdb", ucs=150, distribuidora=2033, ano=2025)
    assert run("bdgd", cut) == 3
    assert "a safra 2033-2023" in state(base, 2033, 2025)[1]


def write_pj(folder: Path, dist: int, *, layer: str, time: int = 1) -> Path:
    (folder / str(time)).mkdir(exist_ok=True)
    file = folder / str(time) / f"{layer.lower()}_pj.csv"
    months = [f"ENE_{m:02d}" for m in range(1, 13)]
    lines = [
        f"{layer}{n};{dist};{';'.join(str(1000 + 7 * n + m) for m in range(12))};31DEC2024"
        for n in range(60 + time)
    ]
    file.write_text("\n".join([f"COD_ID_ENCR;DIST;{';'.join(months)};DATA_BASE", *lines]))
    return file


@pytest.mark.parametrize("order", [["UCBT"], ["UCMT", "UCBT"], ["UCBT", "UCMT"]], ids="-".join)
def test_a_layer_that_failed_waits_for_no_other_file_than_its_own(
    base: psycopg.Connection, tmp_path: Path, order: list[str]
) -> None:
    dist = {"UCBT": 2011, "UCMT-UCBT": 2012, "UCBT-UCMT": 2013}["-".join(order)]
    for layer in ("UCBT", "UCMT"):
        assert run("bdgd", write_pj(tmp_path, dist, layer=layer)) == 0
    (import_id,) = base.execute(
        "select import_id from controle.safra_importada where distribuidora_id = %s", [dist]
    ).fetchone()
    broken = Finding("coluna_preenchida", "UCBT mun", "UCBT: falhou")
    assert hold.hold(base, Safra.from_key(f"{dist}-2024"), import_id, [broken], {"UCBT"})
    for layer in order:
        code = run("bdgd", write_pj(tmp_path, dist, layer=layer, time=2))
        free = "UCBT" in order[: order.index(layer) + 1]
        assert (code == 0, state(base, dist)[0]) == (free, not free)


def write_years(folder: Path, dist: int, layer: str, units: Mapping[int, int]) -> Path:
    """One CSV of several vintages of one distributor, each unit as it was the year before."""
    file = folder / f"{layer.lower()}_pj.csv"
    months = [f"ENE_{m:02d}" for m in range(1, 13)]
    lines = [
        f"{layer}{n};{dist};{';'.join(str(1000 + 7 * n + m) for m in range(12))};31DEC{year}"
        for year, count in units.items()
        for n in range(count)
    ]
    file.write_text("\n".join([f"COD_ID_ENCR;DIST;{';'.join(months)};DATA_BASE", *lines, ""]))
    return file


@pytest.mark.parametrize("short", [2024, 2025])
def test_each_safra_of_a_file_is_compared_by_its_own_rows_and_the_files_layers(
    base: psycopg.Connection, tmp_path: Path, short: int
) -> None:
    dist = 2014 if short == 2024 else 2015
    for layer in ("UCBT", "UCMT"):
        assert run("bdgd", write_years(tmp_path, dist, layer, {2023: 400})) == 0
    years = {year: 100 if year == short else 400 for year in (2024, 2025)}
    assert run("bdgd", write_years(tmp_path, dist, "UCMT", years)) == 3
    assert {year: state(base, dist, year)[0] for year in years} == {
        year: year == short for year in years
    }
    assert "UCBT" not in state(base, dist, short)[1]


def test_a_large_content_is_compared_by_a_sample_and_says_so(
    base: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "SAMPLE", 600)
    assert run("bdgd", write_years(tmp_path, 2016, "UCMT", {2023: 3000})) == 0
    assert run("bdgd", write_years(tmp_path, 2016, "UCMT", {2024: 900})) == 3
    assert "amostra de 1 em 4)" in state(base, 2016)[1]


def test_what_is_being_landed_is_judged_by_the_next_call_or_waited_for(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert run("bdgd", write_years(tmp_path, 2017, "UCMT", {2024: 60})) == 0
    safra = Safra.from_key("2017-2024")
    base.execute("set lock_timeout = '1s'")
    with connect() as landing, landing.transaction():
        landing.execute("select pg_advisory_xact_lock(%s, %s)", [ledger.LOCK_CLASS, safra.lock_key])
        assert safra not in {seen.safra for seen in verdict.judge_pending(base)}
        with pytest.raises(psycopg.errors.LockNotAvailable):
            verdict.judge(base, safra.key)
    assert [seen.safra for seen in verdict.judge_pending(base)] == [safra]


# Release ------------------------------------------------------------------------------------------


def test_releasing_names_the_findings_and_is_audited(
    base: psycopg.Connection, tmp_path: Path
) -> None:
    assert run("bdgd", generate(tmp_path / "a.gdb", ucs=400, distribuidora=2007, ano=2023)) == 0
    assert run("bdgd", cut := generate(tmp_path / "b.gdb", ucs=150, distribuidora=2007)) == 3
    assert run("liberar", "2007-2024", "--motivo", "  ") == 2
    assert run("liberar", "2007-2023", "--motivo", "x") == 3
    shown = CliRunner().invoke(app, ["liberar", "2007-2024", "--motivo", "x", "--dry-run"])
    assert shown.exit_code == 0 and "2007-2023" in shown.output
    assert state(base, 2007)[0], "a dry run released it"
    assert run("liberar", "2007-2024", "--motivo", "concessão dividida") == 0
    assert state(base, 2007) == (False, "", {"completed"})
    who, user, details = base.execute(
        "select quem, usuario_so, detalhes from controle.auditoria"
        " where (acao, objeto) = ('liberar safra', '2007-2024')"
    ).fetchone()
    assert (who, details["motivo"]) == (base.info.user, "concessão dividida")
    assert user
    (import_id, findings) = base.execute(
        "select import_id, achados from controle.liberacao where distribuidora_id = 2007"
    ).fetchone()
    assert (details["import_id"], details["achados"]) == (import_id, findings)
    assert any(finding.endswith(":2023") for finding in findings)
    assert run("liberar", "2007-2024", "--motivo", "de novo") == 3
    assert run("bdgd", cut) == 0, "what was released is landed"
    assert run("julgar", "2007-2024") == 0, "the same findings hold it again"


def test_a_release_frees_of_no_other_finding(base: psycopg.Connection, tmp_path: Path) -> None:
    assert run("bdgd", generate(tmp_path / "a.gdb", ucs=400, distribuidora=2008)) == 0
    assert run("bdgd", generate(tmp_path / "b.gdb", ucs=150, distribuidora=2008)) == 3
    safra = Safra.from_key("2008-2024")
    hold.release(base, safra, "concessão dividida")
    assert verdict.judge(base, "2008-2024").held is None
    base.execute("update raw_safra.ucbt_2008_2024 set dist = 9")
    again = verdict.judge(base, "2008-2024")
    assert "distribuidora_da_safra" in (again.held or "")
    assert "unidades_que_sumiram" not in {f.rule for f in hold.held_for(base, safra)}
    approved = "select aprovada from controle.veredito where distribuidora_id = 2008"
    assert base.execute(approved + " order by import_id desc limit 1").fetchone() == (False,)


def test_another_landing_needs_another_release(base: psycopg.Connection, tmp_path: Path) -> None:
    assert run("bdgd", generate(tmp_path / "a.gdb", ucs=400, distribuidora=2009, ano=2023)) == 0
    for seed in (1, 2):
        cut = generate(tmp_path / f"b{seed}.gdb", ucs=150, seed=seed, distribuidora=2009)
        assert run("bdgd", cut) == 3
        hold.release(base, Safra.from_key("2009-2024"), "dividida")
        assert verdict.judge(base, "2009-2024").held is None


# Publication --------------------------------------------------------------------------------------


def test_a_bare_dbt_build_publishes_nothing_that_the_gate_has_not_judged(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Law 9: it stays built, dbt names it and the command; once judged it is published as it is."""
    when = "select import_id from intel_lead.safra_publicada where distribuidora_id = 401"
    before = a.value(conn, when)
    done = a.Running(a._loaders, ["bdgd", "--forcar", str(files["antiga"])], env=warehouse.env)
    assert done.wait().ok
    built = warehouse.build()
    assert built.ok, built.trouble
    assert "401-2024 está construída e não é publicada" in built.text
    assert "make build" in built.text
    assert a.value(conn, when) == before
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="não aprovou"):
        conn.execute(
            "select controle.publica_safra(2024, 401, (select max(import_id) from"
            " controle.safra_construida where distribuidora_id = 401),"
            " controle.obra_da_safra(2024, 401), array['lead_bruto'], 1)"
        )
    warehouse.judge()
    assert warehouse.build().ok
    assert a.value(conn, when) > before


def test_what_was_published_before_verdicts_stays_so(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    conn.execute("drop table controle.veredito")
    conn.execute("comment on schema raw is 'esquema de antes'")
    with warehouse.connect() as other:
        prepare(other)
    published = a.value(conn, "select count(*) from intel_lead.safra_publicada")
    assert a.value(conn, "select count(*) from controle.veredito where aprovada") == published
    rebuilt = warehouse.build("--full-refresh", *a.SAFRAS)
    assert rebuilt.ok, rebuilt.trouble
    assert "não é publicada" not in rebuilt.text


def test_dbt_leaves_a_held_safra_as_it_was_published(
    warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    of_ledger = {*a.HISTORY, "intel_lead.vw_import_status_resumido"}
    read = set(a.relations(conn, "intel_lead", "marts")) - of_ledger
    before = a.contents(conn, *read)
    assert warehouse.load(generate(tmp_path / "cut.gdb", ucs=100, distribuidora=401)).code == 3
    everything = warehouse.build()
    assert everything.ok, everything.text
    assert "safra 401-2024 está retida" in everything.text
    asked = warehouse.build(safra="401-2024")
    assert not asked.ok
    assert "loaders liberar 401-2024" in asked.text
    assert a.contents(conn, *read) == before
    arguments = ["liberar", "401-2024", "--motivo", "teste"]
    assert a.Running(a._loaders, arguments, env=warehouse.env).wait().ok
    freed = warehouse.build(safra="401-2024")
    assert freed.ok, freed.text
    leads = "select count(*) from intel_lead.lead_bruto where distribuidora_id = 401"
    assert a.value(conn, leads) == 100


# Great Expectations -------------------------------------------------------------------------------

PLANTED = [
    Fault.CNAE_INVALIDO,
    Fault.PN_CON_ORFAO,
    Fault.CODIGO_FORA_DO_DOMINIO,
    Fault.TIP_SIST_DESCONHECIDO,
    Fault.ENERGIA_NEGATIVA,
    Fault.DATA_SENTINELA,
    Fault.CAR_INST_EM_W,
    Fault.DEM_CONT_CAR_INST_MW,
    Fault.ENERGIA_IMPOSSIVEL,
    Fault.DIC_IMPOSSIVEL,
]
CAUGHT = [
    ("UCBT", "formato_do_campo", "cnae"),
    ("UCBT", "codigo_do_dominio", "clas_sub"),
    ("UCBT", "codigo_do_dominio", "ten_forn"),
    ("UCBT", "codigo_do_dominio", "tip_sist"),
    ("UCBT", "municipio_do_ibge", "mun"),
    ("UCBT", "energia_sem_negativos", "ene_*"),
    ("UCBT", "conexao_ate_a_data_base", "dat_con"),
    ("UCBT", "unidade_da_carga_instalada", "car_inst"),
    ("UCMT", "unidade_da_carga_instalada", "car_inst"),
    ("UCMT", "energia_ate_a_demanda_contratada", "ene_*"),
    ("UCMT", "energia_ate_a_demanda_medida", "ene_*"),
    ("UCBT", "dic_ate_as_horas_do_mes", "dic_*"),
]


@pytest.fixture(scope="module")
def judged(
    database: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Verdict]:
    """Three safras as the gate saw them: sound, of odd values, and of a broken structure."""
    folder = tmp_path_factory.mktemp("gate")
    recipes = {"sound": [], "odd": PLANTED, "broken": [Fault.SEM_DEZEMBRO]}
    with connect() as conn:
        prepare(conn)
        for dist, (name, faults) in enumerate(recipes.items(), 2101):
            gdb = generate(folder / f"{name}.gdb", ucs=3000, distribuidora=dist, faults=faults)
            assert run("bdgd", gdb) == 0
        seen = {v.safra.distribuidora_id: v for v in verdict.judge_pending(conn)}
        assert not verdict.pending(conn)
    return {name: seen[dist] for dist, name in enumerate(recipes, 2101)}


def failed(seen: Verdict) -> set[tuple[str, str, str]]:
    return {(r.layer, r.rule.name, r.rule.column) for r in seen.results if not r.ok}


def test_a_sound_safra_passes_every_rule(judged: Mapping[str, Verdict]) -> None:
    assert failed(judged["sound"]) == set()
    assert judged["sound"].findings == ()


@pytest.mark.parametrize("caught", CAUGHT, ids="-".join)
def test_each_odd_value_is_caught(
    judged: Mapping[str, Verdict], caught: tuple[str, str, str]
) -> None:
    assert caught in failed(judged["odd"])


def test_odd_values_warn_and_do_not_hold(judged: Mapping[str, Verdict]) -> None:
    assert judged["odd"].held is None


def test_a_broken_structure_is_held_until_a_person_releases_it(
    base: psycopg.Connection, judged: Mapping[str, Verdict]
) -> None:
    broken = judged["broken"]
    assert ("UCBT", "energia_em_todos_os_meses", "ene_*") in failed(broken)
    assert "energia_em_todos_os_meses" in (broken.held or "")
    assert "dezembro" in (broken.held or ""), "a month that is empty for everybody"
    assert state(base, 2103)[2] == {"failed"}
    assert run("liberar", "2103-2024", "--motivo", "dezembro não veio") == 0
    assert verdict.judge(base, "2103-2024").held is None, "held again after release"
    assert state(base, 2103)[2] == {"completed"}


@pytest.mark.parametrize(("bad", "full"), [(6, False), (7, True), (61, True)])
def test_a_tenth_of_the_rows_may_be_rejected_and_no_more(
    base: psycopg.Connection, tmp_path: Path, *, bad: int, full: bool
) -> None:
    dist = 2020 + bad
    file = write_pj(tmp_path, dist, layer="UCMT")
    for n in range(bad):
        file.write_text(file.read_text().replace(f"UCMT{n};", ";"))
    if bad == 61:  # nothing of the layer is left: refused, not held
        assert run("bdgd", file) == 3
        return
    assert run("bdgd", file) == 0
    assert ("linhas_rejeitadas" in (verdict.judge(base, f"{dist}-2024").held or "")) is full


def test_results_are_kept_once_and_hold_no_value_of_a_row(
    base: psycopg.Connection, judged: Mapping[str, Verdict]
) -> None:
    count = "select count(*) from intel_lead.qualidade_validacao where distribuidora_id = 2102"
    (before,) = base.execute(count).fetchone()
    assert before == len(judged["odd"].results)
    verdict.judge(base, "2102-2024")
    assert base.execute(count).fetchone() == (before,)
    kept = base.execute(
        "select string_agg(observado::text, ' ') from intel_lead.qualidade_validacao"
    ).fetchone()[0]
    assert "XX9" not in kept


def test_the_page_shows_the_newest_verdicts(
    base: psycopg.Connection, judged: Mapping[str, Verdict]
) -> None:
    text = quality_page.page(quality_page.rows(base))
    assert "Safra 2101-2024" in text
    assert "energia_ate_a_demanda_contratada" in text
