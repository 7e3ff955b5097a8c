"""Copies of what ANEEL publishes: whole and read-only, or nothing at all.

Belongs here: archive.py against a server that misbehaves (fake_hub.py). Not here: what is noted of
a copy, landing it (integration/test_catalogue_vintages.py).
"""

import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loaders.bdgd.kinds import CATALOGUE
from loaders.catalogue import archive
from loaders.catalogue.bookkeeping import Known
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client, Patience
from tests.fake_hub import MISSING, Hub, served

PATIENT = Patience(attempts=3, first_s=0, longest_s=0, stall_s=60)
HASTY = Patience(attempts=2, first_s=0, longest_s=0, stall_s=0.1)
TITLE = "Mux_Energia_401_2024-12-31_V11_20250806-1857"


def zipped(**members: bytes) -> bytes:
    """A geodatabase's zip, as far as its names tell."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED) as package:
        package.writestr(f"{TITLE}.gdb/{CATALOGUE}", os.urandom(1_200_000))
        for name, content in members.items():
            package.writestr(name, content)
    return into.getvalue()


CONTENT = zipped()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """One vintage."""
    with served() as one:
        one.put("a", TITLE, CONTENT)
        monkeypatch.setenv("INTEL_ARQUIVO", str(tmp_path / "arquivo"))
        yield one


def known(fake: Hub, **changes: object) -> Known:
    """The vintage, as the catalogue has it."""
    item = Known(
        **dict.fromkeys(Known.__dataclass_fields__),
    )
    url = f"{fake.url}/sharing/rest/content/items/a/data"
    said = {"item_id": "a", "title": TITLE, "kind": "geodatabase", "url": url, "ano": 2024}
    said |= {"distribuidora_id": 401, "size": len(CONTENT)}
    return replace(item, **(said | changes))


def fetch(item: Known, patience: Patience = PATIENT) -> archive.Copy:
    return archive.fetch(item, Client(patience))


def left() -> list[str]:
    """Names in the vintage's folder that are no copy."""
    folder = archive.folder() / "401" / "2024"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_copy_lies_under_its_hash_read_only_beside_its_manifest(fake: Hub) -> None:
    copy = fetch(known(fake))
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert copy.path == archive.folder() / "401" / "2024" / f"{digest}.gdb.zip"
    assert copy.path.read_bytes() == CONTENT
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o444
    assert copy.named.name == f"{TITLE}.gdb.zip"
    assert copy.named.read_bytes() == CONTENT
    manifest = json.loads((copy.path.parent / archive.MANIFEST).read_text())
    (resource,) = manifest["resources"]
    assert resource["path"] == copy.path.name
    assert (resource["bytes"], resource["hash"]) == (len(CONTENT), f"sha256:{digest}")
    assert (resource["title"], resource["item_id"]) == (TITLE, "a")
    assert resource["sources"][0]["path"].startswith(fake.url)
    assert resource["licenses"][0]["name"] == "ODbL-1.0"
    assert resource["fetched_at"]
    assert left() == sorted([f"{TITLE}.gdb.zip", f"{digest}.gdb.zip", archive.MANIFEST])


def test_the_same_bytes_again_change_no_copy(fake: Hub) -> None:
    fetch(known(fake))
    before = left()
    fetch(known(fake))
    assert left() == before
    (resource,) = json.loads((archive.folder() / "401/2024" / archive.MANIFEST).read_text())[
        "resources"
    ]
    assert resource["bytes"] == len(CONTENT)


def test_a_sent_anew_content_stands_beside_the_old_one(fake: Hub) -> None:
    old = fetch(known(fake))
    fake.files["a"] = other = zipped(x=b"other")
    new = fetch(known(fake, size=len(other)))
    assert old.path.read_bytes() == CONTENT
    assert new.path.read_bytes() == new.named.read_bytes() == other
    manifest = json.loads((new.path.parent / archive.MANIFEST).read_text())
    assert {r["path"] for r in manifest["resources"]} == {old.path.name, new.path.name}


@pytest.mark.parametrize("trouble", ["429", "503", "error", "html", "cut"])
def test_what_passes_is_waited_for(fake: Hub, trouble: str) -> None:
    fake.troubles = [trouble]
    assert fetch(known(fake)).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("429", "respondeu 429"),
        ("503", "respondeu 503"),
        ("error", r"respondeu com um erro \(500"),
        ("html", "uma página HTML"),
        ("cut", "cortou o arquivo|conexão falhou"),
        ("stall", "parou de responder|conexão falhou"),
    ],
)
def test_what_does_not_pass_leaves_no_copy(fake: Hub, trouble: str, said: str) -> None:
    fake.troubles = [trouble] * 3
    with pytest.raises(SourceFailure, match=said):
        fetch(known(fake), HASTY if trouble == "stall" else PATIENT)
    assert not [name for name in left() if not name.startswith(".buscando-")]


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("ranges", ["honoured", "ignored", "shifted"])
def test_what_was_cut_is_gone_on_with_where_the_server_can(
    fake: Hub, ranges: str, tagged: bool
) -> None:
    fake.troubles, fake.ranges, fake.tagged = ["cut", "cut"], ranges, tagged
    if ranges == "shifted" and tagged:
        with pytest.raises(SourceFailure, match="outro pedaço"):
            fetch(known(fake))
        return
    assert fetch(known(fake)).path.read_bytes() == CONTENT
    asked = fake.downloads()
    assert len(asked) == 3
    assert (asked[1] != "") == tagged


def test_a_killed_download_is_gone_on_with_by_the_next_process(fake: Hub) -> None:
    fake.troubles = ["cut"] * 3
    with pytest.raises(SourceFailure):
        fetch(known(fake))
    begun = [name for name in left() if name.startswith(".buscando-")]
    assert begun
    fake.asked.clear()
    assert fetch(known(fake)).path.read_bytes() == CONTENT
    (wanted,) = fake.downloads()
    assert int(wanted.strip("bytes=-")) > len(CONTENT) // 2
    assert len(fake.downloads()) == 1
    assert not [name for name in left() if name.startswith(".buscando-")]


def test_the_beginning_of_another_version_is_thrown_away(fake: Hub) -> None:
    fake.troubles = ["cut"] * 3
    with pytest.raises(SourceFailure):
        fetch(known(fake))
    fake.files["a"] = other = zipped(x=b"other")
    assert fetch(known(fake, size=len(other))).path.read_bytes() == other


def test_a_beginning_longer_than_the_file_is_thrown_away(fake: Hub) -> None:
    folder = archive.folder() / "401" / "2024"
    folder.mkdir(parents=True)
    (folder / ".buscando-a").write_bytes(CONTENT + b"more")
    tag = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    (folder / ".buscando-a.tag").write_text(f'"{tag}"')
    assert fetch(known(fake)).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "size", "said"),
    [
        (CONTENT, 17, r"vieram (mais de )?\d+ bytes, o catálogo diz 17"),
        (CONTENT[:-400], None, "truncado ou corrompido"),
        (CONTENT[:200_000] + b"\0\1\2" + CONTENT[200_003:], None, "danificado em"),
        (b"qualquer coisa", None, "não é uma geodatabase"),
        (b"", None, "vazio"),
    ],
    ids=["size", "truncated", "damaged", "text", "empty"],
)
def test_what_is_no_copy_is_thrown_away(
    fake: Hub, content: bytes, size: int | None, said: str
) -> None:
    fake.files["a"] = content
    with pytest.raises(SourceFailure, match=said) as caught:
        fetch(known(fake, size=size))
    assert TITLE in str(caught.value)
    assert left() == []


def test_an_item_that_vanished_is_not_asked_again(fake: Hub) -> None:
    fake.files["a"] = json.dumps(MISSING).encode()
    with pytest.raises(SourceFailure, match="400 Item does not exist"):
        fetch(known(fake))
    assert len(fake.asked) == 1


def test_json_that_is_no_error_is_no_copy_either(fake: Hub) -> None:
    fake.files["a"] = b'{"ok": true}'
    with pytest.raises(SourceFailure, match="JSON em lugar do arquivo"):
        fetch(known(fake, size=None))


def test_a_disk_without_room_is_said_before_anything_comes(
    fake: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = archive.shutil.disk_usage("/")
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    with pytest.raises(InvalidInput, match="faltam .* GB para buscar .* INTEL_ARQUIVO"):
        fetch(known(fake))
    assert fake.asked == []


def test_a_file_larger_than_the_catalogue_says_leaves_nothing(
    fake: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless one would fill the disk, which is the database's too."""
    monkeypatch.setattr(archive, "_MORE", 0)
    with pytest.raises(SourceFailure, match="vieram mais de"):
        fetch(known(fake, size=len(CONTENT) - 500_000))
    assert left() == []


def test_a_disk_that_fills_while_a_file_comes_is_left_free(
    fake: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([2 * archive._KEPT_FREE, 2 * archive._KEPT_FREE, 0])
    usage = type("Usage", (), {})

    def shrinking(_: Path) -> object:
        found = usage()
        found.free = next(free)
        return found

    monkeypatch.setattr(archive.shutil, "disk_usage", shrinking)
    with pytest.raises(InvalidInput, match="restam menos de 1 GB livres"):
        fetch(known(fake))
    assert left() == []


def test_a_long_title_has_a_short_link(fake: Hub) -> None:
    copy = fetch(known(fake, title="M" * 400))
    assert len(copy.named.name) < 255
    assert copy.named.read_bytes() == CONTENT


def test_a_csv_is_kept_under_its_name(fake: Hub) -> None:
    fake.files["a"] = csv = b"COD_ID_ENCR;DIST;DEM_01;DATA_BASE\nA;401;1;31DEC2024\n"
    item = known(fake, title="ucmt_pj", kind="csv_pj", ano=None, distribuidora_id=None)
    copy = fetch(replace(item, size=None))
    assert copy.path == archive.folder() / "ucmt_pj" / f"{hashlib.sha256(csv).hexdigest()}.csv"
    assert copy.named.name == "ucmt_pj.csv"
    fake.files["a"] = CONTENT
    with pytest.raises(SourceFailure, match="não é o que o catálogo diz"):
        fetch(replace(item, size=None))


def test_a_copy_that_was_taken_away_or_cut_is_none(fake: Hub) -> None:
    copy = fetch(known(fake))
    noted = known(
        fake,
        sha256=copy.sha256,
        bytes=copy.bytes,
        path=str(copy.path.relative_to(archive.folder())),
    )
    assert archive.kept(noted) is not None
    copy.path.chmod(0o644)
    copy.path.write_bytes(b"cut")
    assert archive.kept(noted) is None
    copy.path.unlink()
    assert archive.kept(noted) is None
