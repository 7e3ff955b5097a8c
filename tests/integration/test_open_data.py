"""Open data in the database: whole or not at all, once, a year in the place of that year alone.

Belongs here: raw tables, bookkeeping, the command. Not here: reading, asking the sources
(tests/unit/test_open_data_*.py), what dbt makes of it (dbt's unit tests).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from dagster_pipeline import status
from loaders import connection
from loaders.__main__ import app
from loaders.errors import InvalidInput, LoadError, SourceFailure
from loaders.open_data import made_up
from loaders.open_data.client import Client, Patience
from loaders.open_data.dataset import Dataset
from loaders.open_data.errand import Errand, run
from loaders.open_data.landing import Delivery, kept_rows, land, land_example, landed_rows
from loaders.open_data.registry import DATASETS
from tests.fake_portal import portal
from tests.open_data_samples import samples

SAMPLES = samples()
PATIENT = Patience(attempts=2, first_s=0, longest_s=0, stall_s=60)
HASTY = replace(PATIENT, stall_s=0.1)
WAYS = [DATASETS[name] for name in ("tarifas", "bandeiras", "populacao", "clima")]
"""A dataset of each way in which sources give theirs."""


@pytest.fixture(scope="module")
def ready(database: dict[str, str]) -> None:
    """The module's database with the loaders' tables."""
    with connection.connect() as conn:
        connection.prepare(conn)


@pytest.fixture
def conn(ready: None) -> Iterator[psycopg.Connection]:
    """A connection; open data are gone afterwards."""
    with connection.connect() as connected:
        yield connected
        tables = [f"raw.{d.table}" for d in DATASETS.values()]
        for table in (*tables, "controle.aberto_arquivo", "raw.rejeitado"):
            connected.execute(f"delete from {table}")


@pytest.fixture
def put(conn: psycopg.Connection, tmp_path: Path) -> Callable[..., object]:
    """Land a text as a dataset's file."""

    def one(name: str, content: bytes, file: str = "arquivo.csv", **options: bool) -> object:
        path = tmp_path / file
        path.write_bytes(content)
        return land(conn, DATASETS[name], Delivery(path, file), **options)

    return one


def state(conn: psycopg.Connection, dataset: Dataset) -> tuple[object, ...]:
    """All that is there of a dataset."""
    rows = conn.execute(f"select t.*::text from raw.{dataset.table} as t order by 1").fetchall()
    files = conn.execute("select * from controle.aberto_arquivo order by arquivo_id").fetchall()
    rejected = conn.execute("select * from raw.rejeitado order by linha").fetchall()
    return rows, files, rejected


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda d: d.id)
def test_a_file_lands_with_every_row_counted_and_the_same_again_changes_nothing(
    dataset: Dataset, conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    first = put(dataset.id, SAMPLES[dataset.id])
    assert first.landed == kept_rows(conn, dataset) == landed_rows(conn, dataset) > 0
    before = state(conn, dataset)
    again = put(dataset.id, SAMPLES[dataset.id], "outro_nome.csv")
    assert again.there_already and again.landed == first.landed
    assert state(conn, dataset) == before


def test_a_row_that_cannot_be_used_is_kept_with_its_reason_and_goes_with_the_next_file(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    text = SAMPLES["continuidade"].decode()
    result = put("continuidade", text.replace("DEC;2024;3;0,50", "DEC;2024;3;x").encode())
    assert (result.landed, result.rejected) == (47, 1)
    kept = conn.execute("select origem, arquivo, linha, motivo, registro from raw.rejeitado")
    (origin, file, line, reason, record) = kept.fetchone()
    assert (origin, file, line) == ("aberto_continuidade", "arquivo.csv", 27)
    assert reason == "VlrIndiceEnviado não é número"
    assert record["vlrindiceenviado"] == "x" and record["ideconjundconsumidoras"] == "12722"
    assert put("continuidade", SAMPLES["continuidade"]).rejected == 0
    assert conn.execute("select count(*) from raw.rejeitado").fetchone() == (0,)


BAD = {
    "renamed": lambda text: text.replace(b"SigAgente", b"SiglaDoAgente"),
    "page": lambda text: b"<html><body>erro</body></html>",
    "cut": lambda text: text[: len(text) // 2],
    "type": lambda text: text.replace(b";0,50", b";alta").replace(b";,25", b";baixa"),
    "empty": lambda text: text.partition(b"\n")[0] + b"\n",
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_file_leaves_the_last_good_one_in_place(
    how: str, conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    put("continuidade", SAMPLES["continuidade"])
    before = state(conn, DATASETS["continuidade"])
    with pytest.raises(InvalidInput) as caught:
        put("continuidade", BAD[how](SAMPLES["continuidade"]))
    assert "\n" not in str(caught.value)
    assert state(conn, DATASETS["continuidade"]) == before


@pytest.mark.parametrize("dataset", WAYS, ids=lambda d: d.id)
@pytest.mark.parametrize("trouble", ["429", "503", "cut", "html", "stall"])
def test_a_source_that_fails_leaves_the_last_good_data_and_says_one_line(
    dataset: Dataset, trouble: str, conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    put(dataset.id, SAMPLES[dataset.id])
    before = state(conn, dataset)
    with portal() as fake:
        fake.put(dataset)
        fake.troubles = [trouble] * 2
        errand = Errand(address=fake.base(dataset), since=2024)
        try:
            client = Client(HASTY if trouble == "stall" else PATIENT)
            (error,) = run(conn, dataset, errand, client)
        except SourceFailure as failure:
            error = failure
    assert isinstance(error, LoadError) and error.code == 3
    assert "\n" not in str(error)
    assert state(conn, dataset) == before


def test_a_years_file_replaces_the_rows_of_that_year_alone(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    text = SAMPLES["samp"].decode()
    put("samp", text.encode(), "samp-2024.csv")
    put("samp", text.replace("2024-01-01", "2023-01-01").encode(), "samp-2023.csv")
    mended = text.replace("1500,5", "1600,5")
    put("samp", mended.encode(), "samp-2024.csv")
    query = "select ano_arquivo, vlrmercado from raw.aberto_samp where vlrmercado like '1%%0,5'"
    assert sorted(conn.execute(query).fetchall()) == [(2023, "1500,5"), (2024, "1600,5")]
    assert landed_rows(conn, DATASETS["samp"]) == kept_rows(conn, DATASETS["samp"]) == 6
    # What is there no more lands again, though it is known.
    assert not put("samp", text.encode(), "samp-2024.csv").there_already
    assert not put("samp", mended.encode(), "samp-2024.csv").there_already


def test_a_decades_file_replaces_its_years_whatever_files_they_came_in(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    text = SAMPLES["continuidade"].decode()
    header, *rows = text.splitlines()
    of_2019 = [row.replace(";2023;", ";2019;") for row in rows if ";2023;" in row]
    put("continuidade", "\n".join([header, *of_2019, ""]).encode(), "2010-2019.csv")
    put("continuidade", text.encode(), "2020-2029.csv")
    put("continuidade", text.replace("0,50", "0,60").encode(), "2020-2029.csv")
    query = "select anoindice, vlrindiceenviado, count(*) from raw.aberto_continuidade"
    found = conn.execute(f"{query} where sigindicador = 'DEC' group by 1, 2 order by 1").fetchall()
    assert found == [("2019", "0,50", 12), ("2023", "0,60", 12), ("2024", "0,60", 12)]


def test_a_part_is_not_taken_for_the_whole_unless_a_person_says_so(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    header, *rows = SAMPLES["tarifas"].decode().splitlines()
    whole = "\n".join([header, *rows * 600, ""]).encode()
    part = "\n".join([header, *rows * 200, ""]).encode()
    put("tarifas", whole)
    with pytest.raises(InvalidInput, match="parece só uma parte"):
        put("tarifas", part)
    assert kept_rows(conn, DATASETS["tarifas"]) == 1200
    put("tarifas", part, force=True)
    assert kept_rows(conn, DATASETS["tarifas"]) == 400


def test_rows_of_a_summed_dataset_that_are_mostly_twice_there_are_refused(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    """Without a second header too; of one in ten or fewer a person is told."""
    header, first, *rows = SAMPLES["samp"].decode().splitlines()
    many = [first.replace("1500,5", f"{n},5") for n in range(20)]
    put("samp", "\n".join([header, *many, ""]).encode())
    before = state(conn, DATASETS["samp"])
    with pytest.raises(InvalidInput, match="20 de 40 linhas são iguais a outra"):
        put("samp", "\n".join([header, *many, *many, ""]).encode())
    assert state(conn, DATASETS["samp"]) == before
    told = str(put("samp", "\n".join([header, *many, many[0], ""]).encode()))
    assert "21 linhas" in told and "1 linhas iguais a outra, que também contam" in told


def test_an_older_file_does_not_take_a_newer_ones_place_unless_a_person_says_so(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    """By the day on which the source says that it made it; of other years it is no rival."""
    put("tarifas", SAMPLES["tarifas"])
    before = state(conn, DATASETS["tarifas"])
    older = SAMPLES["tarifas"].replace(b"2024-01-05", b"31/12/2019")
    with pytest.raises(InvalidInput, match=r"é de 31/12/2019, e o que .* de 05/01/2024, é mais"):
        put("tarifas", older)
    assert state(conn, DATASETS["tarifas"]) == before
    put("tarifas", older, force=True)
    assert state(conn, DATASETS["tarifas"]) != before
    put("samp", SAMPLES["samp"])
    earlier = SAMPLES["samp"].replace(b"2025-02-01", b"2020-02-01")
    put("samp", earlier.replace(b"2024-01-01", b"2019-01-01"))
    with pytest.raises(InvalidInput, match="é mais novo"):
        put("samp", earlier)


def test_a_rehearsal_says_what_would_land_and_changes_nothing(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    before = state(conn, DATASETS["samp"])
    told = str(put("samp", SAMPLES["samp"], dry_run=True))
    assert "3 linhas, anos 2024" in told and "nada mudou" in told
    assert state(conn, DATASETS["samp"]) == before


def test_a_persons_document_and_name_have_no_column(conn: psycopg.Connection) -> None:
    found = conn.execute(
        "select column_name from information_schema.columns where table_schema = 'raw'"
        " and table_name like 'aberto%' and column_name ~ '(cpf|titular|propri)'"
    ).fetchall()
    assert found == []


def test_the_source_is_asked_once_for_what_it_has_not_changed(conn: psycopg.Connection) -> None:
    dataset = DATASETS["tarifas"]
    with portal() as fake:
        path = fake.put(dataset)
        fake.dates[path] = "2024-01-01T00:00:00"
        errand = Errand(address=fake.base(dataset))
        assert [r.landed for r in run(conn, dataset, errand, Client(PATIENT))] == [2]
        assert list(run(conn, dataset, errand, Client(PATIENT))) == []
        assert fake.asked.count(path) == 1
        fake.dates[path] = "2024-02-01T00:00:00"
        assert [r.there_already for r in run(conn, dataset, errand, Client(PATIENT))] == [True]


def test_made_up_data_give_way_to_real_ones_and_never_take_their_place(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    put("continuidade", SAMPLES["continuidade"])
    names = {result.name for result in land_example(conn)}
    assert names == {"exemplo/continuidade_limite.csv", "exemplo/tarifas.csv"}
    assert land_example(conn) == []
    put("tarifas", SAMPLES["tarifas"])
    assert kept_rows(conn, DATASETS["tarifas"]) == 2
    made_up.forget_all(conn)
    assert kept_rows(conn, DATASETS["continuidade_limite"]) == 0
    left = conn.execute("select conjunto, inventado from controle.aberto_arquivo order by 1")
    assert left.fetchall() == [("continuidade", False), ("tarifas", False)]


def test_the_status_counts_datasets_and_names_the_one_that_has_waited_longest(
    conn: psycopg.Connection, put: Callable[..., object]
) -> None:
    assert status.open_data(conn).startswith("Dados abertos: nenhum (")
    put("continuidade", SAMPLES["continuidade"])
    land_example(conn)
    conn.execute(
        "update controle.aberto_arquivo set aterrissado_em = '2026-03-01 12:00-03'"
        " where conjunto = 'continuidade'"
    )
    assert status.open_data(conn).startswith(
        f"Dados abertos: 3 de {len(DATASETS)} conjuntos, 2 inventados; o mais antigo, continuidade,"
        " é de 01/03/26"
    )


def test_the_command_lists_lands_refuses_and_says_the_right_use(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    def typed(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["aberto", *arguments])
        return done.exit_code, done.output

    code, listed = typed()
    assert code == 0
    assert all(name in listed for name in DATASETS)
    assert "ainda não" in listed and "ODbL" in listed
    file = tmp_path / "tarifas.csv"
    file.write_bytes(SAMPLES["tarifas"])
    code, told = typed("tarifas", "--arquivo", str(file))
    assert (code, told.splitlines()[0]) == (0, "tarifas.csv: 2 linhas")
    assert "make build" in told
    assert "já carregado" in typed("tarifas", "--arquivo", str(file))[1]
    file.write_text(json.dumps({"erro": "não"}))
    assert typed("tarifas", "--arquivo", str(file))[0] == 3
    assert typed("tarifa")[0] == 2
    assert typed("idhm")[0] == 3
    assert kept_rows(conn, DATASETS["tarifas"]) == 2
