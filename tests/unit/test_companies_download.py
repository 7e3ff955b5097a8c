"""The Receita's share: which month, which files, going on where it was cut, nothing half in place.

Belongs here: download.py against a share that misbehaves (fake_share.py). Not here: what a delivery
holds (test_companies.py), landing it (integration/test_landing_companies.py).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.companies import download
from loaders.companies.landing import silent
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Patience
from tests.fake_share import Cloud, served

PATIENT = Patience(attempts=3, first_s=0, longest_s=0, stall_s=60)
TABLES = ("Estabelecimentos0", "Estabelecimentos1", "Empresas0", "Empresas1", "Simples")
NAMES = [f"{table}.zip" for table in TABLES]
CONTENT = {name: f"{name} ".encode() * (60_000 + n) for n, name in enumerate(NAMES)}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """One month, one with its partners' table, and something that is no month."""
    with served() as one:
        one.files = {f"2026-05/{name}": content for name, content in CONTENT.items()}
        one.files |= {f"2026-06/{name}": content for name, content in CONTENT.items()}
        one.files |= {"2026-06/Socios0.zip": b"persons", "leiame/nota.txt": b"x"}
        yield one


def share(cloud: Cloud) -> download.Share:
    return download.Share(cloud.url, PATIENT)


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_newest_month_comes_whole_without_partners(cloud: Cloud, tmp_path: Path) -> None:
    month = share(cloud).month(download.NEWEST)
    assert month == "2026-06"
    folder = share(cloud).fetch(month, tmp_path, silent)
    assert on_disk(folder) == CONTENT
    assert "Socios0.zip" not in {name for _, name in cloud.asked}


def test_a_second_time_nothing_is_downloaded(cloud: Cloud, tmp_path: Path) -> None:
    share(cloud).fetch("2026-06", tmp_path, silent)
    cloud.asked.clear()
    share(cloud).fetch("2026-06", tmp_path, silent)
    assert [asked for asked, _ in cloud.asked] == ["PROPFIND"]


def test_what_was_cut_is_gone_on_with(cloud: Cloud, tmp_path: Path) -> None:
    """In the same run and in the next one; what is half there has another name."""
    cloud.cuts = 2
    folder = share(cloud).fetch("2026-06", tmp_path, silent)
    assert on_disk(folder) == CONTENT
    ranges = [asked for asked, name in cloud.asked if name == "Empresas0.zip"]
    begun = [int(asked.strip("bytes=-") or 0) for asked in ranges]
    assert len(set(begun)) == len(begun) == 3
    assert begun == sorted(begun)

    cloud.cuts = 3
    with pytest.raises(SourceFailure, match=r"Tente de novo \(o que já veio fica"):
        share(cloud).fetch("2026-05", tmp_path, silent)
    assert [path.suffix for path in (tmp_path / "2026-05").iterdir()] == [".part"]
    cloud.asked.clear()
    assert on_disk(share(cloud).fetch("2026-05", tmp_path, silent)) == CONTENT
    assert cloud.asked[1][0].startswith("bytes=")


def test_the_beginning_of_another_version_is_thrown_away(cloud: Cloud, tmp_path: Path) -> None:
    cloud.cuts = 3
    with pytest.raises(SourceFailure):
        share(cloud).fetch("2026-06", tmp_path, silent)
    cloud.version = 2
    cloud.files = {name: content[::-1] for name, content in cloud.files.items()}
    folder = share(cloud).fetch("2026-06", tmp_path, silent)
    assert on_disk(folder) == {name: content[::-1] for name, content in CONTENT.items()}


def test_a_server_that_knows_no_ranges_is_asked_from_the_start(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.ignores_range, cloud.cuts = True, 1
    assert on_disk(share(cloud).fetch("2026-06", tmp_path, silent)) == CONTENT


def test_a_month_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(InvalidInput, match="não publica esse mês; há de 2026-05 a 2026-06"):
        share(cloud).month("2026-07")


def test_a_month_that_is_being_published_waits(cloud: Cloud, tmp_path: Path) -> None:
    del cloud.files["2026-06/Simples.zip"]
    with pytest.raises(SourceFailure, match="ainda não publicou Simples; tente outro dia"):
        share(cloud).fetch("2026-06", tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


def test_a_page_instead_of_the_share_is_said(cloud: Cloud) -> None:
    cloud.page = True
    with pytest.raises(SourceFailure, match="não é uma pasta WebDAV.*INTEL_EMPRESAS_ENDERECO"):
        share(cloud).month(download.NEWEST)


def test_a_disk_without_room_is_said_before_anything_comes(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = download.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(InvalidInput, match="GB livres; outra pasta: INTEL_EMPRESAS"):
        share(cloud).fetch("2026-06", tmp_path, silent)
    assert {asked for asked, _ in cloud.asked} == {"PROPFIND"}
