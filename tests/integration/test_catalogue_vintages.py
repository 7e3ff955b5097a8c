"""What is kept of ANEEL's catalogue, which version counts, what is to be done for it.

Belongs here: bookkeeping, the plan, the two commands, landing from the archive. Not here: what the
Hub answers (unit/test_catalogue_hub.py), files (unit/test_catalogue_archive.py), publishing
(test_backfill.py).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import connection, removal
from loaders.__main__ import app
from loaders.bdgd import landing
from loaders.catalogue import archive, bookkeeping, errand, wanted
from loaders.catalogue.wanted import Step
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client, Patience
from loaders.safra import Safra
from loaders.synthetic.writer import generate
from tests.fake_hub import Hub, served

PATIENT = Patience(attempts=2, first_s=0, longest_s=0, stall_s=60)
MUX = "Mux_Energia_401_{}-12-31_V11_{}0806-1857"


@pytest.fixture(scope="module")
def ready(database: dict[str, str]) -> None:
    """The module's database with the loaders' tables."""
    with connection.connect() as conn:
        connection.prepare(conn)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """401-2024 as first sent and as sent again, and 86-2020."""
    folder = tmp_path_factory.mktemp("bases")
    made = {
        "velha": generate(folder / "velha.gdb.zip", ucs=60, distribuidora=401, ano=2024),
        "nova": generate(folder / "nova.gdb.zip", ucs=70, distribuidora=401, ano=2024, seed=2),
        "eflul": generate(folder / "eflul.gdb.zip", ucs=60, distribuidora=86, ano=2020),
    }
    return {name: path.read_bytes() for name, path in made.items()}


@pytest.fixture
def conn(ready: None) -> Iterator[psycopg.Connection]:
    """A connection; catalogue and safras are gone afterwards."""
    with connection.connect() as connected:
        yield connected
        connected.execute(
            "truncate controle.dataset_catalogo, controle.dataset_catalogo_leitura,"
            " controle.dataset_arquivo"
        )
        for (key,) in connected.execute(
            "select distribuidora_id || '-' || ano from controle.safra_importada"
        ).fetchall():
            removal.remove(connected, Safra.from_key(key), "fim do teste")
        connected.execute("truncate intel_lead.import_status")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub whose CKAN has the CSVs; nothing is followed."""
    with served() as one:
        one.put_csvs(ucat_pj=b"", ucmt_pj=b"", ucbt_pj=b"")
        monkeypatch.setenv("INTEL_CATALOGO_ENDERECO", one.url)
        monkeypatch.setenv("INTEL_CATALOGO_CKAN_ENDERECO", one.url)
        monkeypatch.setenv("INTEL_ARQUIVO", str(tmp_path / "arquivo"))
        monkeypatch.setenv("INTEL_SEGUIR", "")
        yield one


def refresh(conn: psycopg.Connection) -> dict[str, bookkeeping.Refreshed]:
    """Read the catalogue; source → what it brought."""
    found = errand.refresh(conn, Client(PATIENT))
    assert not [x for x in found.values() if isinstance(x, SourceFailure)]
    return found


def item(conn: psycopg.Connection, item_id: str) -> bookkeeping.Known:
    """One item as it stands."""
    return next(x for x in bookkeeping.known(conn) if x.item_id == item_id)


def seen(conn: psycopg.Connection, item_id: str) -> tuple[object, object]:
    """When an item was seen first, and last."""
    return conn.execute(
        "select visto_primeiro_em, visto_por_ultimo_em from controle.dataset_catalogo"
        " where item_id = %s",
        [item_id],
    ).fetchone()


def steps(conn: psycopg.Connection, *words: str) -> dict[str, Step]:
    """What the plan does, in its order, and leaves."""
    made = wanted.plan(conn, wanted.read(words))
    return {task.key: task.step for task in (*made.tasks, *made.rest)}


def bring(conn: psycopg.Connection, item_id: str) -> archive.Copy:
    """Have an item in the archive."""
    return errand.fetch(conn, Client(PATIENT), item(conn, item_id))


def land(path: Path) -> list[str]:
    return landing.land(path, landing.Options(wait=True))


# ── What is kept ──────────────────────────────────────────────────────────────────────────────────
def test_first_and_last_seen_and_what_is_new(hub: Hub, conn: psycopg.Connection) -> None:
    hub.put("a", MUX.format(2024, 2025))
    first = refresh(conn)["hub"]
    assert (first.items, first.new, first.changed, first.gone) == (
        1,
        (hub.items["a"]["title"],),
        (),
        (),
    )
    when, last = seen(conn, "a")
    hub.put("b", MUX.format(2023, 2024))
    second = refresh(conn)["hub"]
    assert second.new == (hub.items["b"]["title"],)
    again, later = seen(conn, "a")
    assert again == when
    assert later > last
    assert item(conn, "a").key == "401-2024"
    names = [x.title for x in bookkeeping.known(conn) if x.kind == "csv_pj"]
    assert sorted(names) == ["ucat_pj", "ucbt_pj", "ucmt_pj"]


def test_an_odd_title_is_kept_with_its_reason_and_may_be_mended(
    hub: Hub, conn: psycopg.Connection
) -> None:
    hub.put("a", "Manual da BDGD", name="", tags=[])
    assert "título sem data-base" in refresh(conn)["hub"].odd["Manual da BDGD"]
    assert item(conn, "a").fault.endswith("sem a etiqueta BDGD")
    assert not item(conn, "a").current
    assert "a" not in {
        t.item.item_id for t in wanted.plan(conn, wanted.read(["TODAS"])).tasks if t.item
    }
    hub.put("a", MUX.format(2024, 2025))
    assert refresh(conn)["hub"].changed == (MUX.format(2024, 2025),)
    assert (item(conn, "a").fault, item(conn, "a").key) == (None, "401-2024")


def test_a_re_sent_base_is_a_version_of_the_same_safra(hub: Hub, conn: psycopg.Connection) -> None:
    """The latest sent counts, whichever was modified or listed last; the older stays known."""
    hub.put("nova", "Mux_Energia_401_2024-12-31_V11_20250906-1857", modified=1)
    hub.put("velha", MUX.format(2024, 2025), modified=1_900_000_000_000)
    hub.put("extra", "Mux_Energia_401_2024-02-28_V11_20260906-1857")
    refresh(conn)
    assert {x.item_id: x.current for x in bookkeeping.known(conn) if x.ano} == {
        "nova": True,
        "velha": False,
        "extra": True,
    }
    (task,) = wanted.plan(conn, wanted.read(["401"])).tasks
    assert task.item.item_id == "nova"


def test_an_item_that_vanished_stays_known_and_is_not_fetched(
    hub: Hub, conn: psycopg.Connection
) -> None:
    for year in range(2010, 2025):
        hub.put(f"i{year}", MUX.format(year, year + 1))
    refresh(conn)
    del hub.items["i2024"]
    assert refresh(conn)["hub"].gone == (MUX.format(2024, 2025),)
    assert not item(conn, "i2024").listed
    assert steps(conn, "401-2024") == {"401-2024": Step.GONE}
    hub.put("volta", MUX.format(2024, 2025))
    refresh(conn)
    assert item(conn, "volta").current
    assert steps(conn, "401-2024") == {"401-2024": Step.FETCH}


@pytest.mark.parametrize("trouble", ["matched", "shrunk"])
def test_a_reading_that_is_not_whole_makes_nothing_vanish(
    trouble: str, hub: Hub, conn: psycopg.Connection
) -> None:
    for year in range(2010, 2025):
        hub.put(f"i{year}", MUX.format(year, year + 1))
    refresh(conn)
    for year in range(2010, 2020 if trouble == "shrunk" else 2011):
        del hub.items[f"i{year}"]
    hub.matched = 15 if trouble == "matched" else -1
    found = refresh(conn)["hub"]
    assert found.gone == ()
    assert found.remark
    assert item(conn, "i2010").listed


def test_one_source_that_fails_stops_no_other(hub: Hub, conn: psycopg.Connection) -> None:
    hub.put("a", MUX.format(2024, 2025))
    hub.resources.clear()
    found = errand.refresh(conn, Client(PATIENT))
    assert [isinstance(found[x], SourceFailure) for x in ("hub", "ckan")] == [False, True]
    assert item(conn, "a").key == "401-2024"
    hub.search_troubles = ["error"] * 2
    assert isinstance(errand.refresh(conn, Client(PATIENT))["hub"], SourceFailure)
    assert item(conn, "a").listed


# ── From the archive ──────────────────────────────────────────────────────────────────────────────
def test_a_safra_lands_from_its_copy_and_the_same_bytes_again_change_nothing(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    assert steps(conn, "401-2024") == {"401-2024": Step.FETCH}
    copy = bring(conn, "a")
    assert steps(conn, "401-2024") == {"401-2024": Step.LAND}
    assert land(copy.named) == ["401-2024"]
    assert steps(conn, "401-2024") == {"401-2024": Step.BUILD}
    before = conn.execute("select * from intel_lead.import_status order by import_id").fetchall()
    assert {row[5] for row in before} == {f"{MUX.format(2024, 2025)}.gdb.zip"}
    assert bring(conn, "a").sha256 == copy.sha256
    for path in (copy.path, copy.named):
        assert land(path) == ["401-2024"]
    after = conn.execute("select * from intel_lead.import_status order by import_id").fetchall()
    assert after == before


def test_a_re_sent_base_takes_the_place_of_the_one_that_landed(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    hub.put("velha", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    land(bring(conn, "velha").named)
    hub.put("nova", "Mux_Energia_401_2024-12-31_V11_20250906-1857", bases["nova"])
    refresh(conn)
    assert steps(conn, "401") == {"401-2024": Step.FETCH}
    land(bring(conn, "nova").named)
    assert item(conn, "nova").landed_year == 2024
    assert item(conn, "velha").landed_year is None
    assert steps(conn, "401") == {"401-2024": Step.BUILD}


def test_an_item_sent_anew_under_its_own_id_is_fetched_again(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    land(bring(conn, "a").named)
    hub.put("a", MUX.format(2024, 2025), bases["velha"], modified=1_800_000_000_000)
    refresh(conn)
    assert steps(conn, "401") == {"401-2024": Step.BUILD}  # a new description, the same size
    hub.put("a", MUX.format(2024, 2025), bases["nova"], modified=1_900_000_000_000)
    refresh(conn)
    assert steps(conn, "401") == {"401-2024": Step.FETCH}
    land(bring(conn, "a").named)
    assert steps(conn, "401") == {"401-2024": Step.BUILD}


def test_the_year_is_the_bases_and_the_titles_a_prediction(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    """Eflul's extraordinary base of 2021-02-28 is of 2020; it is had by name alone."""
    hub.put("e", "EFLUL_86_2021-02-28_M10_20211207-1043", bases["eflul"])
    refresh(conn)
    assert steps(conn, "86") == steps(conn, "TODAS") == {}
    assert steps(conn, "86-2021") == {"86-2021": Step.FETCH}
    copy = bring(conn, "e")
    assert copy.path.parent == archive.folder() / "86" / "2021"
    assert land(copy.named) == ["86-2020"]
    assert steps(conn, "86-2021") == {"86-2020": Step.BUILD}
    assert steps(conn, "86-2020") == {"86-2020": Step.BUILD}


def test_a_title_of_another_distributor_takes_nobodys_place(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    """Refused as it is, so that nothing tries it again every day; the ledger says why."""
    hub.put("m", "MUX_402_2024-12-31_V11_20250806-1857", bases["velha"])
    refresh(conn)
    copy = bring(conn, "m")
    with pytest.raises(InvalidInput, match="é da distribuidora 402, e o arquivo diz que é de 401"):
        landing.land(copy.named, landing.Options(distributor=402))
    assert landing.land(copy.named, landing.Options(distributor=401)) == ["401-2024"]


def test_a_distributor_that_is_nowhere_is_said(hub: Hub, conn: psycopg.Connection) -> None:
    hub.put("a", MUX.format(2024, 2025))
    refresh(conn)
    assert wanted.plan(conn, wanted.read(["401", "999"])).unknown == ["999"]


def test_a_key_means_the_years_own_base_where_there_is_one(
    hub: Hub, conn: psycopg.Connection
) -> None:
    """The extraordinary one may be another year's, and would take its place."""
    hub.put("e", "EFLUL_86_2021-02-28_M10_20211207-1043")
    hub.put("a", "Eflul_86_2021-12-31_V10_20220807-1043")
    refresh(conn)
    (task,) = wanted.plan(conn, wanted.read(["86-2021"])).tasks
    assert task.item.item_id == "a"


def test_what_a_person_downloaded_and_landed_is_known_by_its_name(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes], tmp_path: Path
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    path = tmp_path / f"{MUX.format(2024, 2025).upper()}.zip"
    path.write_bytes(bases["velha"])
    land(path)
    assert steps(conn, "401") == {"401-2024": Step.BUILD}
    (task,) = wanted.plan(conn, wanted.read(["401"])).tasks
    assert task.lacks_copy


# ── What is wanted ────────────────────────────────────────────────────────────────────────────────
def test_the_newest_year_first_and_of_a_year_the_largest(
    hub: Hub, conn: psycopg.Connection
) -> None:
    hub.put("a", MUX.format(2023, 2024), size=900)
    hub.put("b", "Eflul_86_2024-12-31_V11_20250103-0915", size=10)
    hub.put("c", "Light_382_2024-12-31_V11_20250925-1811", size=500)
    hub.put("d", "Cemig-D_4950_2016-12-31_M6_20180103-0915", size=500)
    refresh(conn)
    assert list(steps(conn, "TODAS")) == ["382-2024", "86-2024", "401-2023", "4950-2016"]
    assert steps(conn, "TODAS")["4950-2016"] is Step.BY_NAME
    assert steps(conn, "4950-2016")["4950-2016"] is Step.FETCH
    assert list(steps(conn, "401, 86")) == ["86-2024", "401-2023"]
    made = wanted.plan(conn, wanted.read(["TODAS"]))
    assert made.to_fetch == made.bytes == 1410


def test_what_a_person_took_out_does_not_come_back_by_itself(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    land(bring(conn, "a").named)
    removal.remove(conn, Safra.from_key("401-2024"), "engano")
    assert steps(conn, "401") == {"401-2024": Step.REMOVED}
    assert steps(conn, "401-2024") == {"401-2024": Step.LAND}
    following = replace(wanted.read(["401-2024"]), typed=False)
    assert [task.step for task in wanted.plan(conn, following).rest] == [Step.REMOVED]


def test_what_was_refused_as_it_is_is_tried_by_name_or_once_it_changed(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    refresh(conn)
    copy = bring(conn, "a")
    bookkeeping.failed(conn, ["a"], "sem BASE", refused=copy.sha256)
    assert steps(conn, "401") == {"401-2024": Step.REFUSED}
    assert steps(conn, "401-2024") == {"401-2024": Step.LAND}
    hub.put("a", MUX.format(2024, 2025), bases["nova"], modified=1_900_000_000_000)
    refresh(conn)
    assert steps(conn, "401") == {"401-2024": Step.FETCH}


def test_the_archive_brings_back_what_the_catalogue_lost(
    hub: Hub, conn: psycopg.Connection, bases: dict[str, bytes]
) -> None:
    for year in range(2010, 2025):
        hub.put(f"i{year}", MUX.format(year, year + 1), bases["velha"])
    refresh(conn)
    bring(conn, "i2024")
    del hub.items["i2024"]
    refresh(conn)
    assert steps(conn, "401-2024") == {"401-2024": Step.LAND}


def test_what_is_followed_and_not_public_is_one_question(
    hub: Hub, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.put("a", MUX.format(2024, 2025))
    hub.put("b", "Eflul_86_2024-12-31_V11_20250103-0915")
    refresh(conn)
    assert wanted.waiting(conn) == []
    monkeypatch.setenv("INTEL_SEGUIR", "401")
    assert [task.key for task in wanted.waiting(conn)] == ["401-2024"]
    monkeypatch.setenv("INTEL_SEGUIR", "TODAS")
    assert len(wanted.waiting(conn)) == 2
    monkeypatch.setenv("INTEL_SEGUIR", "mux")
    with pytest.raises(InvalidInput, match="INTEL_SEGUIR: 'mux'"):
        wanted.waiting(conn)


def test_words_that_say_nothing_are_refused() -> None:
    asked = wanted.read(["401,86;598", "401-2024 ucmt_pj", "0" * 32, "todas"])
    assert asked.distributors == {401, 86, 598}
    assert asked.named == {"401-2024", "ucmt_pj", "0" * 32}
    assert asked.everything
    assert not wanted.read([""])
    for word in ("mux", "401-24", "Mux_Energia"):
        with pytest.raises(InvalidInput, match="escreva uma distribuidora"):
            wanted.read([word])


def test_batches_are_full_by_number_or_by_bytes() -> None:
    def task(size: int) -> wanted.Task:
        known = bookkeeping.Known(**dict.fromkeys(bookkeeping.Known.__dataclass_fields__))
        object.__setattr__(known, "size", size)
        return wanted.Task("401-2024", Step.FETCH, known)

    sizes = [9, 1, 1, 1, 1, 1, 5, 5, 1]
    groups = wanted.batches([task(size) for size in sizes], 3, 8)
    assert [[t.bytes for t in group] for group in groups] == [[9], [1, 1, 1], [1, 1, 5], [5, 1]]


# ── The commands ──────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Type a command of the loaders, without their patience; its exit code and what it said."""
    monkeypatch.setattr("loaders.open_data.client.Patience", lambda: PATIENT)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words))
        return done.exit_code, done.output

    return run


def test_the_list_says_where_each_vintage_is(
    hub: Hub,
    conn: psycopg.Connection,
    bases: dict[str, bytes],
    typed: Callable[..., tuple[int, str]],
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    hub.put("b", "Manual", name="")
    code, said = typed("catalogo", "--dry-run")
    assert code == 0
    assert bookkeeping.known(conn) == []
    code, said = typed("catalogo")
    assert code == 0
    assert "401-2024" in said and "no catálogo" in said and "INTEL_SEGUIR" in said
    assert "Manual" not in said.splitlines()[1]
    code, said = typed("catalogo", "--sem-ler", "--json", "--versoes")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {line["item_id"]: line["situacao"] for line in lines}["b"] == "ilegível"
    assert len(lines) == 5
    hub.search_troubles = ["503"] * 2
    assert typed("catalogo")[0] == 3


def test_buscar_archives_what_it_can_and_names_what_it_cannot(
    hub: Hub,
    conn: psycopg.Connection,
    bases: dict[str, bytes],
    typed: Callable[..., tuple[int, str]],
) -> None:
    hub.put("a", MUX.format(2024, 2025), bases["velha"])
    hub.put("b", "Eflul_86_2024-12-31_V11_20250103-0915", b"nada")
    code, said = typed("buscar", "401-2024", "--dry-run")
    assert code == 0
    assert "buscaria" in said
    assert hub.downloads() == []
    code, said = typed("buscar", "TODAS", "5-2022")
    assert code == 3
    assert item(conn, "a").sha256
    assert item(conn, "b").sha256 is None
    assert "não é uma geodatabase" in item(conn, "b").last_error
    assert typed("buscar")[0] == 2
    assert typed("buscar", "--seguidas")[0] == 0
    code, said = typed("buscar", "401-2024")
    assert code == 0
    assert "a buscar: 0" in said
