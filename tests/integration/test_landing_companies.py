"""Landing the CNPJ registry: what stays, what never does, what is refused and changes nothing.

Belongs here: raw and the ledger. Not here: candidates (test_companies.py), one record's meaning
(tests/unit/test_companies.py).
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import connection as db
from loaders.__main__ import app
from loaders.companies import addresses, steps
from loaders.companies.steps import Step
from loaders.safra import Safra
from tests import companies as c
from tests.fake_share import served

TOWN, OTHER = "4320909", "4309803"
HERE, THERE, ELSEWHERE = {"tom": "8921"}, {"tom": "8697"}, {"tom": "7107"}
PERSONS = {
    "33333333": c.company("33333333", natureza="2135", razao="MARIA DE SOUZA 12345678901"),
    "44444444": c.company("44444444", natureza="2135", razao="JOAO DA SILVA"),
    "55555555": c.company("55555555", natureza="2062", razao="ANA 12345678901"),
    "66666666": c.company("66666666", natureza="4081", razao="ESPOLIO DE PEDRO"),
    "77777777": c.company("77777777", natureza="2062", razao="QUEM E MEI NO SIMPLES"),
}
TABLES = {
    "Estabelecimentos0": [
        c.establishment("11111111", **HERE),
        c.establishment("22222222", **HERE, fantasia='A "X" B;C', cnae="8610101"),
        c.establishment("12ABC345", ordem="01DE", **HERE),
        *(c.establishment(root, **HERE) for root in PERSONS),
        c.establishment("88888888", **ELSEWHERE),
        c.establishment("88888888", **THERE, ordem="0002"),
        c.establishment("99999999", **HERE, dv="00"),
        c.establishment("11111111", **HERE),
        c.establishment("99999998", **HERE),
        '"1";"2"\n',
    ],
    "Empresas0": [
        *(c.company(root) for root in ("11111111", "22222222", "12ABC345", "88888888")),
        *PERSONS.values(),
        *(c.company(f"{20000000 + n}") for n in range(30)),
    ],
    "Simples": [c.simples("77777777", "S"), c.simples("11111111", "N")],
}
"""Of 14 lines: 3 land, 5 are persons', 2 of other municípios, 4 rejected (digits, twice, without a
company, 2 fields)."""
FILLER = [c.establishment(f"{30000000 + n}", **ELSEWHERE) for n in range(40)]


@pytest.fixture(scope="module")
def prepared(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A warehouse that has its tables."""
    with db.connect() as connection:
        db.prepare(connection)
        yield connection


@pytest.fixture
def conn(prepared: psycopg.Connection) -> psycopg.Connection:
    """A warehouse without a row."""
    prepared.execute("drop table if exists raw_safra.ucbt_401_2024")
    prepared.execute(
        "truncate raw.empresa_estabelecimento, raw.empresa_pessoas, raw.empresa_semelhanca,"
        " raw.rejeitado, controle.empresa_entrega, controle.empresa_municipio,"
        " controle.enriquecimento, controle.safra_importada"
    )
    return prepared


Land = Callable[..., tuple[int, str]]


@pytest.fixture
def land(conn: psycopg.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Land:
    """Run the command on these tables; its exit code and what it said."""

    def run(tables: dict[str, list[str]], *options: str, month: str = "2026-06") -> tuple[int, str]:
        folder = c.write(tmp_path / month, tables)
        caplog.clear()
        with caplog.at_level("INFO"):
            done = CliRunner().invoke(app, ["empresas", str(folder), *options])
        return done.exit_code, f"{done.output}\n{caplog.text}"

    return run


def whole() -> dict[str, list[str]]:
    return TABLES | {"Estabelecimentos0": [*TABLES["Estabelecimentos0"], *FILLER]}


def kept(conn: psycopg.Connection) -> dict[str, str]:
    rows = conn.execute("select cnpj, razao_social from raw.empresa_estabelecimento order by 1")
    return dict(rows.fetchall())


def test_legal_persons_of_the_town_stay_and_every_line_is_accounted_for(
    conn: psycopg.Connection, land: Land
) -> None:
    code, said = land(whole(), "--municipios", TOWN)
    assert code == 0, said
    assert set(kept(conn)) == {
        c.cnpj("11111111"),
        c.cnpj("22222222"),
        "12ABC34501DE35",
    }
    ledger = conn.execute(
        "select linhas, aterrissadas, fora_do_filtro, de_pessoas, rejeitadas"
        " from controle.empresa_entrega"
    ).fetchall()
    assert ledger == [(14 + 40, 3, 2 + 40, 5, 4)]
    reasons = conn.execute(
        "select motivo, linha from raw.rejeitado where origem = 'empresas' order by linha"
    ).fetchall()
    assert reasons == [
        ("CNPJ com dígito verificador errado", 11),
        ("CNPJ repetido", 12),
        ("sem linha em Empresas", 13),
        ("não tem os 30 campos", 14),
    ]


def test_a_month_is_downloaded_and_landed_by_one_command(
    conn: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A dry run fetches nothing; without the share's month nothing changes."""
    made = c.write(tmp_path / "made", whole())
    here = tmp_path / "kept"

    def run(*options: str) -> tuple[int, str]:
        caplog.clear()
        with caplog.at_level("INFO"):
            done = CliRunner().invoke(app, ["empresas", *options, "--municipios", TOWN])
        return done.exit_code, f"{done.output}\n{caplog.text}"

    with served() as cloud:
        monkeypatch.setenv("INTEL_EMPRESAS_ENDERECO", cloud.url)
        monkeypatch.setenv("INTEL_EMPRESAS", str(here))
        cloud.files = {f"2026-06/{path.name}": path.read_bytes() for path in made.iterdir()}
        code, said = run("--baixar", "ultimo", "--dry-run")
        assert code == 0
        assert "entrega 2026-06: baixaria 3 de 3 arquivos" in said
        assert not here.exists()
        code, said = run("--baixar", "2026-07")
        assert code == 3
        assert "não publica esse mês" in said
        assert kept(conn) == {}
        code, said = run("--baixar", "ultimo")
        assert code == 0, said
    assert set(kept(conn)) == {c.cnpj("11111111"), c.cnpj("22222222"), "12ABC34501DE35"}
    assert {path.name for path in (here / "2026-06").iterdir()} == {p.name for p in made.iterdir()}


@pytest.mark.parametrize("options", [[], ["--baixar", "06/2026"], [".", "--baixar", "2026-06"]])
def test_neither_or_both_of_a_folder_and_a_month_is_a_wrong_use(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["empresas", *options])
    assert done.exit_code == 2
    assert "2026-06" in done.output


def test_of_a_person_nothing_lands_but_that_somebody_is_there(
    conn: psycopg.Connection, land: Land
) -> None:
    land(whole(), "--municipios", TOWN)
    for table in ("raw.empresa_estabelecimento", "raw.rejeitado", "controle.empresa_entrega"):
        text = conn.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} as t")
        (found,) = text.fetchone()
        for word in ("MARIA", "JOAO", "ANA ", "PEDRO", "MEI", "12345678901", *PERSONS):
            assert word not in found, (table, word)
    persons = conn.execute("select cep, chave, valor, quantas from raw.empresa_pessoas order by 2")
    assert persons.fetchall() == [
        ("95000001", "cnae", "4711302", 5),
        ("95000001", "numero", "120", 5),
    ]


def test_the_same_delivery_again_does_nothing_and_a_newer_one_takes_its_place(
    conn: psycopg.Connection, land: Land
) -> None:
    land(whole(), "--municipios", TOWN)
    code, said = land(whole(), "--municipios", TOWN)
    assert code == 0
    assert "já carregada" in said
    newer = whole() | {"Estabelecimentos0": [c.establishment("22222222", **HERE), *FILLER]}
    assert land(newer, "--municipios", TOWN, month="2026-07")[0] == 0
    assert set(kept(conn)) == {c.cnpj("22222222")}
    code, said = land(whole(), "--municipios", TOWN)
    assert code == 3
    assert "--forcar" in said
    assert land(whole(), "--municipios", TOWN, "--forcar")[0] == 0
    assert len(kept(conn)) == 3


def test_a_town_that_is_not_asked_for_keeps_what_it_has(
    conn: psycopg.Connection, land: Land
) -> None:
    land(whole(), "--municipios", f"{TOWN},{OTHER}")
    assert c.cnpj("88888888", "0002") in kept(conn)
    newer = whole() | {"Estabelecimentos0": [c.establishment("22222222", **HERE), *FILLER]}
    land(newer, "--municipios", TOWN, month="2026-07")
    assert set(kept(conn)) == {c.cnpj("22222222"), c.cnpj("88888888", "0002")}


def test_a_dry_run_and_no_safra_change_nothing(conn: psycopg.Connection, land: Land) -> None:
    code, said = land(whole(), "--municipios", TOWN, "--dry-run")
    assert (code, "nada mudou" in said) == (0, True)
    code, said = land(whole())
    assert code == 3
    assert "--municipios" in said
    assert land(whole(), "--municipios", "abc")[0] == 2
    assert land(whole(), "--municipios", "9999999")[0] == 3
    assert land(whole(), "--mes", "junho")[0] == 2
    assert kept(conn) == {}


HTML = ["<!DOCTYPE html>\n", "<html><body>503</body></html>\n"]


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("Estabelecimentos0", HTML, "não são de Estabelecimentos"),
        ("Empresas0", HTML, "não são de Empresas"),
        ("Simples", HTML, "não são de Simples"),
        ("Estabelecimentos0", [], "arquivo vazio"),
        ("Empresas0", TABLES["Simples"] * 40, "não são de Empresas"),
        ("Simples", TABLES["Empresas0"], "não são de Simples"),
        ("Empresas0", [c.company("11111111")], "não têm linha em Empresas"),
        ("Estabelecimentos0", [*FILLER, FILLER[0][:90]], "a última linha está cortada"),
        ("Simples", [*TABLES["Simples"], '"7777'], "a última linha está cortada"),
    ],
    ids=["html", "html companies", "html simples", "empty", "a Simples as Empresas", "the reverse"]
    + ["companies of another part", "cut", "cut simples"],
)
def test_a_file_that_is_not_what_it_says_is_refused_whole(
    conn: psycopg.Connection, land: Land, name: str, lines: list[str], said: str
) -> None:
    land(whole(), "--municipios", TOWN)
    before = kept(conn)
    # Enough establishments of companies that are not there.
    more = [c.establishment(f"{40000000 + n}", **HERE) for n in range(30)]
    tables = whole()
    if "têm" in said:
        tables["Estabelecimentos0"] = [*tables["Estabelecimentos0"], *more]
    code, text = land(tables | {name: lines}, "--municipios", TOWN, month="2026-07")
    assert code == 3
    assert said in text
    assert kept(conn) == before
    assert conn.execute("select count(*) from controle.empresa_entrega").fetchone() == (1,)


def test_a_damaged_zip_is_refused(conn: psycopg.Connection, land: Land, tmp_path: Path) -> None:
    folder = c.write(tmp_path / "2026-06", whole())
    path = folder / "Estabelecimentos0.zip"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    done = CliRunner().invoke(app, ["empresas", str(folder), "--municipios", TOWN])
    assert done.exit_code == 3
    assert kept(conn) == {}


def test_a_header_and_a_spreadsheets_quotes_are_understood(
    conn: psycopg.Connection, land: Land
) -> None:
    header = ";".join(["cnpj_basico", *c.ESTABLISHMENT][: len(c.ESTABLISHMENT)]) + "\n"
    plain = c.establishment("11111111", **HERE).replace('"', "")
    tables = whole() | {"Estabelecimentos0": [header, plain, *FILLER]}
    assert land(tables, "--municipios", TOWN)[0] == 0
    assert set(kept(conn)) == {c.cnpj("11111111")}
    assert conn.execute("select linhas from controle.empresa_entrega").fetchone() == (41,)


def test_memory_does_not_grow_with_the_file(conn: psycopg.Connection) -> None:
    """A part is read through a buffer: 200 MB of lines of elsewhere, of a megabyte zipped."""
    import resource

    from loaders.companies import delivery, landing, scope
    from loaders.companies.layout import Kind

    line = c.establishment("88888888", **ELSEWHERE).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.ESTABELE", line * 600_000)
    part = delivery.Part(Path("x.zip"), "", Kind.ESTABLISHMENTS, 0)
    wanted = scope.of_leads(conn, [int(TOWN)])
    for statement in landing.statements.ARRIVALS.replace(" on commit drop", "").split(";"):
        conn.execute(statement)
    counts = landing.Counts()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with zipfile.ZipFile(made) as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_opened", lambda path, member: archive.open("x.ESTABELE"))
        landing._establishments(conn, part, wanted, counts, landing.silent)
    assert counts.lines == counts.outside == 600_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


# Steps --------------------------------------------------------------------------------------------

SAFRA = Safra.from_key("401-2024")
UNIT = """
    insert into raw.ucbt (ano, distribuidora_id, import_id, linha, cod_id, mun, cep, clas_sub, lgrd,
        sit_ativ) values (2024, 401, 1, %s, %s, '4320909', '95000-001', %s, %s, %s)
"""


@pytest.fixture
def units(conn: psycopg.Connection, land: Land) -> psycopg.Connection:
    """Units with addresses, as a _pj CSV brings them, and the registry of their town."""
    conn.execute(
        "create table raw_safra.ucbt_401_2024 partition of raw.ucbt"
        " for values from (2024, 401) to (2024, 402)"
    )
    conn.execute(
        "insert into controle.safra_importada (ano, distribuidora_id, import_id, data_base)"
        " values (2024, 401, 1, '2024-12-31')"
    )
    for values in (
        (1, "same", "CO1", "R das Flôres, 120 - Sala 2", "AT"),
        (2, "old row", "CO1", "Rua das Flores 120", "DS"),
        (3, "old row", "CO1", "Av Brasil 120", "AT"),
        (4, "half", "CO1", "Rua Flores do Campo Velho, 0120", "AT"),
        (5, "other number", "CO1", "Rua das Flores, 1200", "AT"),
        (6, "a person", "RE1", "Rua das Flores, 120", "AT"),
        (7, "blank", "CO1", " ", "AT"),
    ):
        conn.execute(UNIT, values)
    registry = [
        c.establishment("11111111", **HERE),
        c.establishment("22222222", **HERE, logradouro="FLORES DOURADAS"),
        *FILLER,
    ]
    code, said = land(whole() | {"Estabelecimentos0": registry}, "--municipios", TOWN)
    assert code == 0, said
    return conn


def test_of_an_address_only_its_likeness_is_written(units: psycopg.Connection) -> None:
    """FLORES has 6 of the 14 letters of FLORES DOURADAS; the row in force counts."""
    found = units.execute(
        "select cod_id, left(cnpj, 1), round(logradouro::numeric, 3)::float8"
        " from raw.empresa_semelhanca order by 1, 2"
    ).fetchall()
    assert found == [
        ("half", "1", 1.0),
        ("half", "2", 0.429),
        ("old row", "1", 0.0),
        ("old row", "2", 0.0),
        ("same", "1", 1.0),
        ("same", "2", 0.429),
    ]


def test_addresses_are_compared_again_only_where_something_changed(
    units: psycopg.Connection,
) -> None:
    said: list[str] = []
    assert addresses.compare(units, say=said.append) == []
    units.execute("update controle.safra_importada set import_id = 2")
    assert addresses.compare(units, say=said.append) == [SAFRA.key]
    units.execute("delete from controle.safra_importada")
    addresses.compare(units, say=said.append)
    assert units.execute("select count(*) from raw.empresa_semelhanca").fetchone() == (0,)


def test_a_step_is_taken_back_noted_and_had_again(units: psycopg.Connection) -> None:
    def state() -> dict[str, bool]:
        return {one.step: one.undone for one in steps.states(units)}

    assert state() == {"empresa": False, "endereco": False}
    assert steps.mark(units, Step.empresa, undone=True, reason="x", dry_run=True) == [SAFRA.key]
    assert state() == {"empresa": False, "endereco": False}
    assert steps.mark(units, Step.empresa, undone=True, safras=[SAFRA], reason="errada")
    assert state() == {"empresa": True, "endereco": False}
    audit = units.execute("select acao, objeto, detalhes ->> 'motivo' from controle.auditoria")
    assert audit.fetchall()[-1] == ("desfazer etapa", SAFRA.key, "errada")
    units.execute("update controle.safra_importada set import_id = 3")
    addresses.compare(units, say=lambda _: None)
    assert state() == {"empresa": True, "endereco": False}, "a new landing keeps what was undone"
    assert steps.mark(units, Step.empresa, undone=False) == [SAFRA.key]
    assert steps.mark(units, Step.empresa, undone=False) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["estado"], 0, "401-2024"),
        (["desfazer"], 2, "diga a etapa"),
        (["desfazer", "empresa"], 2, "escreva por que"),
        (["desfazer", "empresa", "--safra", "1-2020", "--motivo", "x"], 3, ""),
        (["desfazer", "empresa", "--dry-run"], 0, "seria desfeita em 401-2024"),
        (["refazer", "empresa"], 0, "já está assim"),
    ],
)
def test_the_command_of_steps(
    units: psycopg.Connection, arguments: list[str], code: int, said: str
) -> None:
    done = CliRunner().invoke(app, ["enriquecimento", *arguments])
    assert done.exit_code == code
    assert said in done.output
