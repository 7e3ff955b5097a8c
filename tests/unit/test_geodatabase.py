"""A geodatabase is opened safely and says what it holds. Not here: the database."""

import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from loaders import arquivos, pacote_zip
from loaders.camadas import UCBT, UCMT
from loaders.erros import EntradaInvalida
from loaders.geodatabase import _avisos_do_gdal, abrir, ler_pontos
from loaders.safra import Safra
from loaders.sintetico import gerar


@pytest.fixture(scope="module")
def gdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gerar(tmp_path_factory.mktemp("gdb") / "bdgd.gdb", ucs=60, semente=1)


def compactar(gdb: Path, destino: Path) -> Path:
    with zipfile.ZipFile(destino, "w", zipfile.ZIP_DEFLATED) as pacote:
        for arquivo in gdb.iterdir():
            pacote.write(arquivo, f"pasta/{gdb.name}/{arquivo.name}")
    return destino


def recusada(caminho: Path, motivo: str, *, safra: str | None = None) -> None:
    with (
        pytest.raises(EntradaInvalida, match=motivo),
        abrir(caminho, safra=Safra.de_chave(safra) if safra else None) as fonte,
    ):
        for camada in fonte.camadas:
            if fonte.presente(camada):
                list(fonte.lotes(camada))


def test_zip_and_folder_say_the_same(gdb: Path, tmp_path: Path) -> None:
    with abrir(gdb) as pasta, abrir(compactar(gdb, tmp_path / "b.gdb.zip")) as pacote:
        assert pasta.linhas == pacote.linhas
        assert [s.chave for s in pasta.safras] == ["401-2024"]


def test_rows_are_numbered_through_the_batches(gdb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.geodatabase._LINHAS_POR_LOTE", 7)
    with abrir(gdb) as fonte:
        numeros = np.concatenate([lote.linhas.to_numpy() for lote in fonte.lotes(UCBT)])
        assert numeros.tolist() == list(range(1, fonte.linhas[fonte.safras[0], "UCBT"] + 1))


@pytest.mark.parametrize(
    ("defeito", "motivo"),
    [
        ("duas_bases", "BASE com 2 linhas"),
        ("tipo_errado", "camada UCBT, coluna ENE_01"),
        ("dist_divergente", "coluna DIST"),
        ("sem_base", "--safra"),
    ],
)
def test_bad_structure_is_refused(tmp_path: Path, defeito: str, motivo: str) -> None:
    recusada(gerar(tmp_path / "ruim.gdb", ucs=60, defeitos=[defeito]), motivo)


def test_without_base_the_vintage_is_asked_for_or_read_from_the_file_name(tmp_path: Path) -> None:
    nome = "Sigla_401_2023-12-31_V11_20240601-1200.gdb"
    gdb = gerar(tmp_path / nome, ucs=60, defeitos=["sem_base"])
    with abrir(gdb) as fonte:
        assert fonte.safras[0].chave == "401-2023"
        assert "sem BASE" in fonte.observacoes["UCBT"][0]
    with abrir(gdb, safra=Safra.de_chave("401-2022")) as fonte:
        assert fonte.safras[0].chave == "401-2022"


def test_a_vintage_that_base_denies_is_refused(gdb: Path) -> None:
    recusada(gdb, "BASE diz safra 401-2024", safra="401-2023")


@pytest.mark.parametrize("defeito", ["nomes_minusculos", "sem_sufixo_tab", "sem_cod_id"])
def test_spelling_and_absent_keys_are_no_defect(tmp_path: Path, gdb: Path, defeito: str) -> None:
    with abrir(gdb) as certa, abrir(gerar(tmp_path / "x.gdb", ucs=60, defeitos=[defeito])) as outra:
        assert certa.linhas == outra.linhas
        assert ("sem COD_ID" in str(outra.observacoes)) == (defeito == "sem_cod_id")


def test_absent_and_empty_layers_are_observations(tmp_path: Path) -> None:
    defeitos = ["sem_camada_ucbt", "camada_vazia", "coluna_extra"]
    with abrir(gerar(tmp_path / "x.gdb", ucs=60, defeitos=defeitos)) as fonte:
        assert not fonte.presente(UCBT)
        assert fonte.presente(UCMT)
        assert "ausente" in fonte.observacoes["UCBT"][0]
        assert "vazia" in fonte.observacoes["UCMT"][0]
        assert "colunas não carregadas" in " ".join(fonte.observacoes["UCAT"])


def copiar(gdb: Path, destino: Path) -> Path:
    """A copy to damage; returns the file of its greatest layer."""
    destino.mkdir()
    for arquivo in gdb.iterdir():
        (destino / arquivo.name).write_bytes(arquivo.read_bytes())
    camadas = (a for a in destino.glob("*.gdbtable") if a.name > "a00000008")  # not the catalogue
    return max(camadas, key=lambda a: a.stat().st_size)


def test_a_truncated_table_is_refused(gdb: Path, tmp_path: Path) -> None:
    maior = copiar(gdb, tmp_path / "curta.gdb")
    maior.write_bytes(maior.read_bytes()[: maior.stat().st_size // 2])
    recusada(tmp_path / "curta.gdb", "diz ter 5[0-9] linhas")


def test_a_table_whose_rows_gdal_would_guess_is_refused(gdb: Path, tmp_path: Path) -> None:
    maior = copiar(gdb, tmp_path / "sem_indice.gdb")
    maior.with_suffix(".gdbtablx").unlink()
    recusada(tmp_path / "sem_indice.gdb", "danificada")


def test_what_another_thread_is_warned_of_is_no_damage() -> None:
    """The landing gate's import runs meanwhile, and recording is for the whole process."""
    with _avisos_do_gdal("x.gdb"):
        warnings.warn("invalid escape sequence", DeprecationWarning, stacklevel=1)
    with pytest.raises(EntradaInvalida, match="danificada"), _avisos_do_gdal("x.gdb"):
        warnings.warn("invalid row", RuntimeWarning, stacklevel=1)


def test_a_layer_that_lost_its_table_is_refused(gdb: Path, tmp_path: Path) -> None:
    maior = copiar(gdb, tmp_path / "sem_tabela.gdb")
    maior.unlink()
    recusada(maior.parent, f"falta {maior.name}")


def test_a_layer_taken_out_by_hand_is_said_to_be_in_the_catalogue(
    gdb: Path, tmp_path: Path
) -> None:
    maior = copiar(gdb, tmp_path / "sem_camada.gdb")
    for arquivo in maior.parent.glob(f"{maior.stem}.*"):
        arquivo.unlink()
    with abrir(maior.parent) as fonte:
        assert not fonte.presente(UCBT)
        assert "catálogo" in fonte.observacoes["UCBT"][0]


def test_what_is_no_geodatabase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vazia.gdb").mkdir()
    recusada(tmp_path / "vazia.gdb", "não é uma geodatabase")
    texto = tmp_path / "texto.gdb.zip"
    texto.write_text("nada")
    recusada(texto, "zip truncado")


def test_a_truncated_or_flipped_zip_is_refused(gdb: Path, tmp_path: Path) -> None:
    inteiro = compactar(gdb, tmp_path / "b.gdb.zip")
    octetos = bytearray(inteiro.read_bytes())
    cortado = tmp_path / "cortado.gdb.zip"
    cortado.write_bytes(octetos[: len(octetos) // 2])
    recusada(cortado, "zip truncado")
    octetos[len(octetos) // 3] ^= 0xFF
    inteiro.write_bytes(octetos)
    recusada(inteiro, "b.gdb.zip")


@pytest.mark.parametrize("nome", ["../fora.gdbtable", "/etc/fora", "a/../../fora", "C:\\fora"])
def test_a_zip_that_escapes_its_folder_is_refused(tmp_path: Path, nome: str) -> None:
    with zipfile.ZipFile(tmp_path / "e.gdb.zip", "w") as pacote:
        pacote.writestr("x.gdb/a00000001.gdbtable", b"")
        pacote.writestr(nome, b"x")
    recusada(tmp_path / "e.gdb.zip", "fora da sua pasta")


def test_a_zip_that_explodes_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.gdb.zip", "w", zipfile.ZIP_DEFLATED) as pacote:
        pacote.writestr("x.gdb/a00000001.gdbtable", bytes(100 * 2**20))
    recusada(tmp_path / "b.gdb.zip", "cresce")


def test_a_zip_with_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    atalho = zipfile.ZipInfo("x.gdb/a00000001.gdbtable")
    atalho.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.gdb.zip", "w") as pacote:
        pacote.writestr(atalho, "/etc/passwd")
    recusada(tmp_path / "l.gdb.zip", "atalho")


def test_extraction_leaves_nothing_behind(
    gdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacote = compactar(gdb, tmp_path / "b.gdb.zip")
    temporaria = tmp_path / "tmp"
    temporaria.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporaria))
    with abrir(pacote):
        assert list(temporaria.iterdir())
        pacote_zip.limpar_abandonadas()
        assert list(temporaria.iterdir()), "a live owner's folder was removed"
    assert not list(temporaria.iterdir())


def test_a_dead_process_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(pacote_zip, "_IDADE_MINIMA_S", -1)
    (tmp_path / "intel-lead-bdgd-morto").mkdir()
    pacote_zip.limpar_abandonadas()
    assert not list(tmp_path.iterdir())


def test_points_are_read_whatever_their_dimension() -> None:
    x_y = struct.pack("<dd", -51.5, -28.25)
    pontos = [
        struct.pack("<BI", 1, 1) + x_y,
        struct.pack("<BI", 1, 1001) + x_y + struct.pack("<d", 9),
        struct.pack("<BI", 1, 0x80000001) + x_y + struct.pack("<d", 9),
        None,
        struct.pack("<BI", 1, 1) + struct.pack("<dd", np.nan, np.nan),
        struct.pack("<BII", 1, 2, 1) + x_y,
    ]
    x, y = ler_pontos(pa.array([b"", *pontos], pa.binary()).slice(1))
    assert x[:3].tolist() == [-51.5] * 3
    assert y[:3].tolist() == [-28.25] * 3
    assert np.isnan(x[3:]).all()


def test_the_hash_is_of_content_not_of_place_or_lock_files(gdb: Path, tmp_path: Path) -> None:
    copia = copiar(gdb, tmp_path / "outra.gdb").parent
    (copia / "_gdb.maquina.1.sr.lock").write_bytes(b"x")
    assert arquivos.somar_sha256(copia) == arquivos.somar_sha256(gdb)
    (copia / "gdb").write_bytes(b"x")
    assert arquivos.somar_sha256(copia) != arquivos.somar_sha256(gdb)


def test_a_folder_stands_for_what_can_be_landed_in_it(gdb: Path, tmp_path: Path) -> None:
    for nome in ("b.gdb.zip", "ucbt_pj.csv", "UCMT_PJ.zip", "leiame.txt"):
        (tmp_path / nome).write_bytes(b"x")
    (tmp_path / "a.gdb").mkdir()
    achados = [a.name for a in arquivos.achar(tmp_path)]
    assert achados == ["UCMT_PJ.zip", "a.gdb", "b.gdb.zip", "ucbt_pj.csv"]


def test_a_folder_with_nothing_to_land_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EntradaInvalida, match="nenhum"):
        arquivos.achar(tmp_path)
