"""What a path holds is told by its content, and a folder accounts for all of it. Not here: rows."""

import io
import logging
import os
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.bdgd import files as bdgd_files
from loaders.bdgd.csv_pj import opened as abrir_csv
from loaders.bdgd.kinds import CATALOGUE, Kind, NotABdgd, identify, is_geodatabase
from loaders.bdgd.landing import Options, opened, steps_for
from loaders.bdgd.layers import UCBT, UCMT
from loaders.errors import InvalidInput
from loaders.synthetic.writer import generate

UCMT_CSV = b"COD_ID_ENCR;DIST;DEM_01;ENE_01;DATA_BASE\nA;401;1;2;31DEC2024\n"
UCBT_CSV = b'"DIST","RAMAL","ENE_01","DATA_BASE"\n401,r,2,31DEC2024\n'
UCAT_CSV = b"\xef\xbb\xbfDIST\tENE_P_01\tENE_F_01\tDATA_BASE\n401\t1\t2\t31DEC2024\n"
UNSURE = b"COD_ID_ENCR;DIST;ENE_01;DATA_BASE\nA;401;2;31DEC2024\n"


@pytest.fixture(scope="module")
def gdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("gdb") / "bdgd.gdb", ucs=60, seed=1)


def zipped(
    target: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(target, "w", compression) as package:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            package.writestr(info, data)
    return target


def members(gdb: Path, prefix: str = "x.gdb/") -> dict[str, bytes]:
    return {f"{prefix}{file.name}": file.read_bytes() for file in sorted(gdb.iterdir())}


JUNK = {
    "__MACOSX/._ucmt_pj.csv": b"\0\5\x16\7" + bytes(60),
    "__MACOSX/x.gdb/._a00000001.gdbtable": b"\0\5\x16\7",
    "x.gdb/._a00000001.gdbtable": b"\0\5\x16\7",
    ".DS_Store": b"\0\0\0\1Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0",
    "desktop.ini": b"[x]",
}


@pytest.mark.parametrize(
    "prefix",
    ["x.gdb/", "x.gdb\\", "./x.gdb/", "", "entrega/2024/x.gdb/", "entrega\\x.gdb\\",
     "São Luís – cópia/x.gdb/", "Geração.gdb/"],
)  # fmt: skip
def test_a_geodatabase_is_found_wherever_it_lies_in_the_zip(
    gdb: Path, tmp_path: Path, prefix: str
) -> None:
    made = members(gdb, prefix) | JUNK | {"leia-me.pdf": b"%PDF-1.4"}
    with (
        opened(gdb, Options()) as folder,
        opened(zipped(tmp_path / "entrega_2023.zip", made), Options()) as z,
    ):
        assert z.rows == folder.rows
        assert sum(batch.data.num_rows for batch in z.batches(UCBT)) == z.rows[z.safras[0], "UCBT"]


def test_a_geodatabase_in_upper_case_or_unpacked_into_its_own_name_is_found(
    gdb: Path, tmp_path: Path
) -> None:
    upper = zipped(tmp_path / "x.zip", {n.upper(): data for n, data in members(gdb).items()})
    with opened(gdb, Options()) as folder, opened(upper, Options()) as package:
        assert folder.rows == package.rows
    (tmp_path / "y.gdb").mkdir()
    shutil.copytree(gdb, tmp_path / "y.gdb" / "x.gdb")
    assert bdgd_files.find(tmp_path / "y.gdb") == [tmp_path / "y.gdb" / "x.gdb"]


def test_a_folders_entry_is_no_file_that_was_not_read(tmp_path: Path) -> None:
    made = zipped(tmp_path / "x.zip", {"x.gdb\\": b"", f"x.gdb\\{CATALOGUE}": b"x"})
    assert identify(made).others == ()


def test_names_in_the_code_page_of_dos_and_zip64_are_read(gdb: Path, tmp_path: Path) -> None:
    made = zipped(tmp_path / "x.zip", members(gdb, "Geracao.gdb/"))
    made.write_bytes(made.read_bytes().replace(b"Geracao.gdb", b"Gera\x87\xc6o.gdb"))
    large = tmp_path / "z64.zip"
    with zipfile.ZipFile(large, "w") as package:
        for name, data in members(gdb).items():
            with package.open(name, "w", force_zip64=True) as file:
                file.write(data)
    with (
        opened(gdb, Options()) as folder,
        opened(made, Options()) as dos,
        opened(tmp_path / "z64.zip", Options()) as z64,
    ):
        assert folder.rows == dos.rows == z64.rows


@pytest.mark.parametrize(
    ("name", "content", "layer"),
    [
        ("ucmt_pj.csv", UNSURE, "UCMT"),
        ("UCBT_PJ.CSV", UCBT_CSV, "UCBT"),
        ("ucat_pj (1).csv", UCAT_CSV, "UCAT"),
        ("ucmt_pj_2023.csv", UCMT_CSV, "UCMT"),
        ("ANEEL_ucbt_pj_2024.csv", UNSURE, "UCBT"),
        ("ucmt-pj.csv", UNSURE, "UCMT"),
        ("ucmtpj.csv", UNSURE, "UCMT"),
        ("ucbt_pj.txt", UCBT_CSV, "UCBT"),
        ("dados.csv", UCAT_CSV, "UCAT"),
        ("dados.csv", UCMT_CSV, "UCMT"),
        ("dados.csv", UCBT_CSV, "UCBT"),
        ("dados.csv", UCMT_CSV.decode().encode("utf-16"), "UCMT"),
        ("dados", UCMT_CSV, "UCMT"),
    ],
)
def test_the_layer_of_a_csv_is_in_its_name_or_its_header(
    tmp_path: Path, name: str, content: bytes, layer: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert identify(tmp_path / name).layer.name == layer
    for package in ("entrega.zip", "x.gdb.zip"):
        kind = identify(zipped(tmp_path / package, {f"pasta\\{name}": content} | JUNK))
        assert (kind.layer.name, kind.member) == (layer, f"pasta\\{name}")


def test_a_zip_names_the_layer_that_its_member_does_not(tmp_path: Path) -> None:
    made = zipped(tmp_path / "ANEEL_ucbt_pj_2024.zip", {"dados.csv": UNSURE, "leia-me.txt": b"x"})
    assert identify(made) == Kind(UCBT, "dados.csv", ("leia-me.txt",))


def test_a_csv_from_a_mac_is_read(tmp_path: Path) -> None:
    with abrir_csv(zipped(tmp_path / "x.zip", {"ucmt_pj_2024.csv": UCMT_CSV} | JUNK)) as source:
        assert source.rows == {(source.safras[0], "UCMT"): 1}
        assert [batch.data.num_rows for batch in source.batches(UCMT)] == [1]


def tarred() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as package:
        package.addfile(tarfile.TarInfo("x.gdb"))
    return made.getvalue()


REFUSED: list[tuple[str, bytes, str]] = [
    ("x.7z", b"7z\xbc\xaf\x27\x1c" + bytes(9), "7z; extraia"),
    ("x.gdb.zip", b"7z\xbc\xaf\x27\x1c" + bytes(9), "não é um zip, é um arquivo 7z"),
    ("x.gdb.rar", b"Rar!\x1a\x07\1\0", "RAR; extraia"),
    ("x.zip", b"Rar!\x1a\x07\1\0", "não é um zip, é um arquivo RAR"),
    ("x.tar.gz", b"\x1f\x8b\x08" + bytes(9), "gzip; extraia"),
    ("x.gdb.zip", b"\x1f\x8b\x08" + bytes(9), "não é um zip, é um arquivo gzip"),
    ("x.bz2", b"BZh91AY" + bytes(9), "bzip2; extraia"),
    ("x.xz", b"\xfd7zXZ\0" + bytes(9), "xz; extraia"),
    ("x.zst", b"\x28\xb5\x2f\xfd" + bytes(9), "zstd; extraia"),
    ("x.parquet", b"PAR1" + bytes(9), "Parquet; exporte"),
    ("x.accdb", b"\0\1\0\0Standard ACE DB\0", "accdb.*exporte"),
    ("x.xls", b"\xd0\xcf\x11\xe0" + bytes(9), "documento antigo do Office"),
    ("x.tar", tarred(), "tar; extraia"),
    ("x.zip", tarred(), "não é um zip, é um arquivo tar"),
    ("x.mdb", b"\0\1\0\0Standard Jet DB\0", "Access .*exporte para file geodatabase"),
    ("x.gpkg", b"SQLite format 3\0", "GeoPackage; exporte"),
    ("x.shp", struct.pack(">i", 9994) + bytes(96), "shapefile; exporte"),
    ("x.pdf", b"%PDF-1.7", "PDF"),
    ("x.jpg", b"\xff\xd8\xff\xe0", "imagem"),
    ("x.png", b"\x89PNG\r\n", "imagem"),
    ("x.xlsx", b"PK\3\4" + bytes(200), "planilha"),
    ("x.gdb.zip", b"<html>Access denied</html>", "página da internet"),
    ("x.gdb.zip", b"nada", "truncado ou corrompido"),
    ("ucmt_pj.csv", b"<!DOCTYPE html><html>", "página da internet"),
    ("x.gdb", b"nada", "não é uma geodatabase"),
    ("ucmt_pj.csv", b"", "vazio"),
    ("x.zip", b"", "vazio"),
    ("ucbt_pj.csv", UCMT_CSV, "o nome diz UCBT, mas o cabeçalho é de UCMT"),
    ("dados.csv", UNSURE, "camada incerta"),
    ("notas.csv", b"a;b\n1;2\n", "não é uma geodatabase"),
]


@pytest.mark.parametrize(("name", "content", "why"), REFUSED)
def test_anything_else_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with (
        pytest.raises(InvalidInput, match=f"{name}: .*{why}") as refusal,
        opened(tmp_path / name, Options()),
    ):
        pass
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ({"dentro.gdb.zip": b"PK"}, "compactado dentro do zip .dentro.gdb.zip.; extraia o de fora"),
        ({"a.zip": b"PK", "b.zip": b"PK", "leia-me.txt": b"x"}, "dentro do zip .a.zip, b.zip.;"),
        ({"x.gdb.7z": b"7z"}, "compactado dentro do zip"),
        ({"a/x.gdb/leia-me.txt": b"x", "b.txt": b"x"}, "a geodatabase do zip está sem o catálogo"),
        ({"a00000009.GDBTABLE": b"x"}, "a geodatabase do zip está sem o catálogo"),
        ({f"a.gdb/{CATALOGUE}": b"x", f"b.gdb/{CATALOGUE}": b"x"}, "2 geodatabases .*a.gdb, b.gdb"),
        ({f"a.gdb/{CATALOGUE}": b"x", "ucmt_pj.csv": UCMT_CSV}, "1 geodatabases e 1 CSVs"),
        ({f"a.gdb/{CATALOGUE}": b"x", "ucbt_pj.zip": b"PK"}, "ao lado de a.gdb .*ucbt_pj.zip"),
        ({"ucmt_pj.csv": UCMT_CSV, "ucbt_pj.csv": UCBT_CSV}, "2 CSVs _pj .ucmt_pj.csv, ucbt_pj"),
        ({"x.gdb/a00000009.gdbtable": b"x"}, f"sem o catálogo .{CATALOGUE}"),
        ({"leia-me.pdf": b"x"}, "não tem geodatabase .*tem: leia-me.pdf"),
        ({}, "o zip está vazio"),
    ],
)  # fmt: skip
def test_a_zip_without_the_one_thing_to_land_says_what_it_has(
    tmp_path: Path, inside: dict[str, bytes], why: str
) -> None:
    made = zipped(tmp_path / "x.gdb.zip", inside)
    with pytest.raises(InvalidInput, match=why), opened(made, Options()):
        pass


def flagged(made: Path, offset: int, value: int) -> Path:
    """Every member's header, local and central, with two bytes changed."""
    data = bytearray(made.read_bytes())
    for magic, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        at = data.find(magic)
        while at >= 0:
            struct.pack_into("<H", data, at + offset + shift, value)
            at = data.find(magic, at + 4)
    made.write_bytes(data)
    return made


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda made: flagged(made, 6, 1), "senha; extraia"),
        (lambda made: flagged(flagged(made, 6, 1), 8, 99), "senha; extraia"),
        (lambda made: flagged(made, 8, 9), "compressão que esta carga não lê .*extraia"),
        (lambda made: made.write_bytes(made.read_bytes()[:-30]) and made, "truncado ou corrompido"),
    ],
    ids=["password", "AES", "deflate64", "cut"],
)
def test_a_zip_that_cannot_be_opened_says_why(
    gdb: Path, tmp_path: Path, spoil: Callable[[Path], Path], why: str
) -> None:
    made = spoil(zipped(tmp_path / "x.gdb.zip", {f"x.gdb/{CATALOGUE}": b"x" * 99}))
    with pytest.raises(InvalidInput, match=why), opened(made, Options()):
        pass


def test_a_zip_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    made = zipped(tmp_path / "x.zip", {"x.gdb/a.gdbtable": b"x", "x.gdb\\a.gdbtable": b"y"})
    with pytest.raises(InvalidInput, match="dois arquivos de nome a.gdbtable"):
        identify(made)


def fill(folder: Path) -> dict[str, str]:
    """A folder with some of everything; what is passed over → a word of the reason."""
    for place in ("2023/x.gdb", "2024", ".git", "__MACOSX", "vazia"):
        (folder / place).mkdir(parents=True)
    (folder / "2023" / "x.gdb" / CATALOGUE).write_bytes(b"x")
    zipped(folder / "entrega_2023.zip", {f"x.gdb/{CATALOGUE}": b"x"})
    (folder / "cortado.gdb.zip").write_bytes(b"PK\3\4")
    (folder / "2024" / "ucmt_pj_2024.csv").write_bytes(UCMT_CSV)
    (folder / "dados.txt").write_bytes(UCBT_CSV)
    zipped(folder / "zip_no_zip.zip", {"a.gdb.zip": b"PK"})
    (folder / "planilha.xlsx").write_bytes(b"PK\3\4" + bytes(200))
    (folder / "leia-me.txt").write_text("nada")
    (folder / "2024" / "mapa.pdf").write_bytes(b"%PDF")
    (folder / "x.gdb.zip.part").write_bytes(b"PK")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "._x.gdb.zip").write_bytes(b"x")
    zipped(folder / "fotos.zip", {"a.jpg": b"x"})
    (folder / "quebrado").symlink_to(folder / "nada")
    (folder / "atalho").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "fila")
    return {
        "planilha.xlsx": "planilha",
        "leia-me.txt": "não é uma geodatabase",
        "2024/mapa.pdf": "PDF",
        "x.gdb.zip.part": "incompleta",
        ".DS_Store": "sistema",
        "._x.gdb.zip": "sistema",
        "fotos.zip": "tem: a.jpg",
        "quebrado": "não existe",
        "atalho": "atalho",
        "fila": "não é um arquivo comum",
        ".git": "oculta",
        "__MACOSX": "oculta",
    }


def test_a_folder_accounts_for_every_file_in_and_below_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, passed = fill(tmp_path), {}

    def note(path: Path, reason: str) -> None:
        passed[path.relative_to(tmp_path).as_posix()] = reason

    found = [
        p.relative_to(tmp_path).as_posix() for p in bdgd_files.find(tmp_path, passed_over=note)
    ]
    assert found == [
        "2023/x.gdb",
        "2024/ucmt_pj_2024.csv",
        "cortado.gdb.zip",
        "dados.txt",
        "entrega_2023.zip",
        "zip_no_zip.zip",
    ]
    assert passed.keys() == wanted.keys()
    assert [name for name, word in wanted.items() if word not in passed[name]] == []
    assert passed["2024/mapa.pdf"].startswith("2024/mapa.pdf: ")
    with caplog.at_level(logging.WARNING):
        bdgd_files.find(tmp_path)
    assert len(caplog.messages) == len(wanted)


def test_a_folder_with_nothing_to_land_says_what_each_file_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nada a carregar .*está vazia"):
        bdgd_files.find(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "b.xlsx").write_bytes(b"PK\3\4")
    with pytest.raises(InvalidInput, match=r"b.xlsx: é uma planilha .*; sub/a.pdf: é um PDF"):
        bdgd_files.find(tmp_path)


def test_a_folder_with_nothing_to_land_names_ten_files_and_counts_the_others(
    tmp_path: Path,
) -> None:
    for n in range(10):
        (tmp_path / f"{n}.pdf").write_bytes(b"%PDF")
    with pytest.raises(InvalidInput, match=r"9\.pdf[^)]*CSV\);"):
        bdgd_files.find(tmp_path)
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(InvalidInput, match=r"9\.pdf[^)]*CSV; e mais 1\)"):
        bdgd_files.find(tmp_path)


def test_a_piece_of_a_geodatabase_names_its_folder(gdb: Path) -> None:
    with pytest.raises(NotABdgd, match=f"carregue a pasta {gdb}"):
        identify(gdb / CATALOGUE)


@pytest.mark.parametrize("name", ["ucmt_pj.csv", "x.gdb.zip", "dados.gdb"])
def test_an_empty_file_that_claims_to_be_ours_is_refused_and_not_passed_over(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InvalidInput, match="arquivo vazio") as refusal:
        identify(tmp_path / name)
    assert not isinstance(refusal.value, NotABdgd)


def test_a_folder_of_a_geodatabases_name_with_one_among_others_is_a_folder_of_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "entrega.gdb"
    for name in ("a.gdb", "outra"):
        (folder / name).mkdir(parents=True)
    (folder / "a.gdb" / CATALOGUE).touch()
    assert not is_geodatabase(folder)
    (folder / "a.gdb" / CATALOGUE).unlink()
    assert is_geodatabase(folder)


def test_a_path_is_a_step_for_each_file_and_what_gives_none_is_one_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ucmt_pj.csv").write_text("DIST;ENE_01;DATA_BASE\n401;1;31DEC2024\n")
    steps = steps_for(tmp_path, Options(), dry_run=True)
    with caplog.at_level(logging.INFO):
        for step in steps:
            step()
    assert [r.getMessage().partition(".")[0] for r in caplog.records] == [
        "safra 401-2024 UCMT: 1 linhas no arquivo"
    ] * 2
    (tmp_path / "nada").mkdir()
    (step,) = steps_for(tmp_path / "nada", Options(), dry_run=True)
    with pytest.raises(InvalidInput, match="nada a carregar"):
        step()
