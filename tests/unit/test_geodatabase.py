"""A geodatabase is opened safely and says what it holds. Not here: the database."""

import ctypes
import hashlib
import os
import re
import shutil
import time
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyogrio
import pyogrio._err
import pyogrio.raw
import pytest
import shapely
from pyproj import Transformer

from loaders import arquivos, pacote_zip
from loaders.camadas import PONNOT, UCBT, UCMT
from loaders.erros import EntradaInvalida
from loaders.fonte import Fonte
from loaders.gdal_warnings import refused
from loaders.gdb_tables import catalogue
from loaders.geodatabase import abrir
from loaders.safra import Safra
from loaders.sintetico import gerar

Mudanca = Callable[[str, pa.Table, str | None], dict[str, tuple[pa.Table, str | None]]]


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
    """A copy to damage; returns the file of its layer UCBT."""
    destino.mkdir(parents=True)
    for arquivo in gdb.iterdir():
        (destino / arquivo.name).write_bytes(arquivo.read_bytes())
    return destino / f"{numero(gdb, 'UCBT_tab')}.gdbtable"


def numero(gdb: Path, camada: str) -> str:
    """The name of the files that hold a layer."""
    return next(n for n, nome in catalogue(gdb).items() if nome == camada)


def test_a_truncated_table_is_refused(gdb: Path, tmp_path: Path) -> None:
    maior = copiar(gdb, tmp_path / "curta.gdb")
    maior.write_bytes(maior.read_bytes()[: maior.stat().st_size // 2])
    recusada(tmp_path / "curta.gdb", "camada UCBT_tab: .*danificada|diz ter 5[0-9] linhas")


def test_a_table_whose_rows_gdal_would_guess_is_refused(gdb: Path, tmp_path: Path) -> None:
    maior = copiar(gdb, tmp_path / "sem_indice.gdb")
    maior.with_suffix(".gdbtablx").unlink()
    recusada(tmp_path / "sem_indice.gdb", "danificada")


@pytest.mark.parametrize("reader", ["this thread", "another thread"])
def test_gdal_is_heard_in_every_thread_whatever_python_records(
    gdb: Path, tmp_path: Path, reader: str
) -> None:
    """The landing gate's import records warnings meanwhile, which is for the whole process."""
    maior = copiar(gdb, tmp_path / "sem_indice.gdb")
    maior.with_suffix(".gdbtablx").unlink()
    camada, motivos = "UCBT_tab", []

    def ler() -> None:
        with (
            pytest.raises(EntradaInvalida) as recusa,
            refused("x.gdb"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            pyogrio.read_info(maior.parent, layer=camada, force_feature_count=True)
        motivos.append(str(recusa.value))

    if reader == "this thread":
        ler()
    else:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(ler).result()
    assert re.search(r"x.gdb: .*GDAL avisa: «a0000000c.gdbtablx could not be found", motivos[0])


@pytest.mark.parametrize(
    ("said", "harmless"),
    [
        ("For field A, XML definition mentions x as default value whereas", True),
        ("A corruption in the header of x.gdbtable has been detected. It would need", True),
        ("Something that no version of GDAL has said so far", False),
        ("UCBT_tab layer has a a0000000c.gdbtable.cdf file using Compressed Data Format", False),
        ("File a.gdbtable declares 9 valid records, but a.gdbtablx declares only 8", False),
    ],
)
def test_only_what_is_known_to_be_harmless_lets_a_file_pass(said: str, harmless: bool) -> None:
    avisar = ctypes.CDLL(pyogrio._err.__file__).CPLError
    with nullcontext() if harmless else pytest.raises(EntradaInvalida, match=said[:20]):  # noqa: SIM117
        with refused("x.gdb"):
            avisar(2, 1, b"%s", said.encode())


@pytest.mark.parametrize("perdidos", [(".gdbtable",), (".gdbtable", ".gdbtablx"), ("vazia",)])
@pytest.mark.parametrize("nome", ["BASE", "UCBT_tab", "PONNOT", "CONJ"])
def test_a_layer_that_lost_its_table_is_refused(
    gdb: Path, tmp_path: Path, nome: str, perdidos: tuple[str, ...]
) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    tabela = copia / f"{numero(copia, nome)}.gdbtable"
    for sufixo in perdidos:
        if sufixo == "vazia":
            tabela.write_bytes(b"")
        else:
            tabela.with_suffix(sufixo).unlink()
    recusada(copia, f"faltam os dados de {nome} .{tabela.name}.*baixe")


def test_a_table_that_is_not_landed_may_be_missing(
    gdb: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    pyogrio.write_arrow(
        pa.table({"COD_ID": ["a"]}), copia, layer="SSDBT", driver="OpenFileGDB", append=True
    )
    for arquivo in copia.glob(f"{numero(copia, 'SSDBT')}.*"):
        arquivo.unlink()
    with abrir(copia) as fonte:
        assert fonte.presente(UCBT)
    assert "SSDBT" in caplog.text


def test_a_table_that_the_catalogue_forgot_is_refused(gdb: Path, tmp_path: Path) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    for sufixo in ("gdbtable", "gdbtablx"):
        tabela = copia / f"{numero(copia, 'UCBT_tab')}.{sufixo}"
        tabela.with_name(f"a000000ff.{sufixo}").write_bytes(tabela.read_bytes())
    recusada(copia, "não lista a000000ff")


def test_a_layer_that_only_one_catalogue_knows_is_refused(gdb: Path, tmp_path: Path) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    catalogo = copia / "a00000001.gdbtable"
    trocado = catalogo.read_bytes().replace(*(s.encode("utf-16-le") for s in ("UCBT_", "UCBX_")))
    trocado = trocado.replace(b"UCBT_", b"UCBX_")
    assert trocado != catalogo.read_bytes()
    catalogo.write_bytes(trocado)
    recusada(copia, "lista UCBT_tab, mas a tabela não se abre")


@pytest.mark.parametrize("sufixo", [".cdf", ".gdbtable.cdf", ".CDF", ".sdc", ".gdbtable.SDI"])
@pytest.mark.parametrize("nome", ["BASE", "UCAT_tab", "UCMT_tab", "PONNOT"])
def test_a_compressed_table_is_refused(gdb: Path, tmp_path: Path, nome: str, sufixo: str) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    tabela = numero(copia, nome)
    for arquivo in copia.glob(f"{tabela}.*"):
        arquivo.unlink()
    (copia / f"{tabela}{sufixo}").write_bytes(b"2FDC" + bytes(99))
    for caminho in (copia, compactar(copia, tmp_path / "x.gdb.zip")):
        recusada(caminho, f"comprimidas pelo ArcGIS .*: {nome};.*Uncompress")


def test_a_geodatabase_all_compressed_is_refused_for_that(gdb: Path, tmp_path: Path) -> None:
    copia = copiar(gdb, tmp_path / "x.gdb").parent
    for tabela in list(copia.glob("*.gdbtable")):
        tabela.rename(f"{tabela}.cdf")
    recusada(copia, "comprimidas pelo ArcGIS")


def reescrever(gdb: Path, destino: Path, **mudancas: Mudanca) -> Path:
    """Every layer again, those named through a function of its table: name → table, geometry."""
    for nome, tipo in pyogrio.list_layers(gdb):
        meta, tabela = pyogrio.raw.read_arrow(gdb, layer=nome)
        mudar = mudancas.get(str(nome).removesuffix("_tab"), lambda n, t, g: {n: (t, g)})
        for novo, (dados, geometria) in mudar(nome, tabela, tipo).items():
            pyogrio.write_arrow(
                dados,
                destino,
                layer=novo,
                driver="OpenFileGDB",
                geometry_name="wkb_geometry" if geometria else None,
                geometry_type=geometria,
                crs=meta.get("crs") or "EPSG:4674" if geometria else None,
                append=destino.exists(),
            )
    return destino


@pytest.mark.parametrize("camada", ["BASE", "CONJ", "UCAT", "UCMT", "UCBT", "PONNOT"])
def test_two_layers_for_one_name_are_refused(gdb: Path, tmp_path: Path, camada: str) -> None:
    def dobrar(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        outro = nome.removesuffix("_tab") if "_" in nome else f"{nome.lower()}_tab"
        return {nome: (tabela, tipo), outro: (tabela, tipo)}

    duas = reescrever(gdb, tmp_path / "x.gdb", **{camada: dobrar})
    recusada(duas, rf"por {camada}: .*{camada}\w* .\d+ linhas. e \w+ .\d+ linhas.")


def test_an_empty_namesake_is_left_aside_and_told(gdb: Path, tmp_path: Path) -> None:
    def dobrar(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        return {"UCBT": (tabela.slice(0, 0), tipo), nome: (tabela, tipo), "UCBT_1": (tabela, tipo)}

    with abrir(gdb) as certa, abrir(reescrever(gdb, tmp_path / "x.gdb", UCBT=dobrar)) as fonte:
        assert fonte.linhas == certa.linhas
        notas = " ".join(fonte.observacoes["UCBT"])
        assert "UCBT vazia ao lado de UCBT_tab" in notas
        assert "UCBT_1 não carregada" in notas


def pontos(fonte: Fonte) -> tuple[np.ndarray, np.ndarray]:
    lotes = [lote.dados for lote in fonte.lotes(PONNOT)]
    return tuple(
        np.concatenate([lote.column(c).to_numpy(zero_copy_only=False) for lote in lotes])
        for c in ("point_x", "point_y")
    )  # type: ignore[return-value]


def com_geometria(mudar: Callable[[np.ndarray], np.ndarray], tipo_novo: str) -> Mudanca:
    def mudanca(nome: str, tabela: pa.Table, _: str | None) -> dict:
        indice = next(i for i, c in enumerate(tabela.schema) if pa.types.is_binary(c.type))
        formas = mudar(shapely.from_wkb(tabela.column(indice).to_numpy(zero_copy_only=False)))
        coluna = pa.array(list(shapely.to_wkb(formas)), pa.binary())
        tabela = tabela.set_column(
            indice, tabela.schema.field(indice).with_name("wkb_geometry"), coluna
        )
        return {nome: (tabela, tipo_novo)}

    return mudanca


def test_a_multipoint_is_its_first_point(
    gdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def juntar(formas: np.ndarray) -> np.ndarray:
        juntas = shapely.multipoints([[p] for p in formas])
        juntas[0] = shapely.multipoints([formas[0], shapely.Point(0, 0)])
        juntas[1] = shapely.MultiPoint()
        juntas[-1] = shapely.multipoints([formas[-1], shapely.Point(0, 0)])
        return juntas

    # They are counted through all batches.
    monkeypatch.setattr(pyogrio, "open_arrow", partial(pyogrio.open_arrow, batch_size=10))
    mudado = reescrever(gdb, tmp_path / "x.gdb", PONNOT=com_geometria(juntar, "MultiPoint"))
    with abrir(gdb) as certa, abrir(mudado) as fonte:
        x, y = pontos(fonte)
        x_certo, y_certo = pontos(certa)
        assert "2 linhas com mais de um ponto" in " ".join(fonte.observacoes["PONNOT"])
    assert np.isnan([x[1], y[1]]).all()
    assert np.delete(x, 1) == pytest.approx(np.delete(x_certo, 1), abs=1e-8)
    assert np.delete(y, 1) == pytest.approx(np.delete(y_certo, 1), abs=1e-8)


@pytest.mark.parametrize("tipo", ["Point Z", "MultiPoint Z"])
def test_heights_and_missing_geometries_are_no_obstacle(
    gdb: Path, tmp_path: Path, tipo: str
) -> None:
    def elevar(formas: np.ndarray) -> np.ndarray:
        altos = shapely.force_3d(formas, 5.0)
        altos = shapely.multipoints([[p] for p in altos]) if "Multi" in tipo else altos
        altos[3] = None
        return altos

    mudado = reescrever(gdb, tmp_path / "x.gdb", PONNOT=com_geometria(elevar, tipo))
    with abrir(gdb) as certa, abrir(mudado) as fonte:
        for lido, certo in zip(pontos(fonte), pontos(certa), strict=True):
            assert np.isnan(lido[3])
            assert np.delete(lido, 3) == pytest.approx(np.delete(certo, 3), abs=1e-8)


@pytest.mark.parametrize("crs", ["EPSG:4618", "EPSG:4326", "EPSG:31982", "EPSG:29192"])
def test_points_of_any_system_become_sirgas(gdb: Path, tmp_path: Path, crs: str) -> None:
    para = Transformer.from_crs(4674, crs, always_xy=True).transform

    def mudar(formas: np.ndarray) -> np.ndarray:
        return shapely.points(*para(shapely.get_x(formas), shapely.get_y(formas)))

    def trocar(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        return com_geometria(mudar, "Point")(nome, tabela, tipo)

    destino = reescrever(gdb, tmp_path / "x.gdb", PONNOT=lambda *_: {})
    _, tabela = pyogrio.raw.read_arrow(gdb, layer="PONNOT")
    ((_, (dados, tipo)),) = trocar("PONNOT", tabela, "Point").items()
    pyogrio.write_arrow(
        dados, destino, layer="PONNOT", driver="OpenFileGDB", geometry_name="wkb_geometry",
        geometry_type=tipo, crs=crs, append=True,
    )  # fmt: skip
    with abrir(gdb) as certa, abrir(destino) as fonte:
        for lido, certo in zip(pontos(fonte), pontos(certa), strict=True):
            assert lido == pytest.approx(certo, abs=1e-6)


def test_points_may_stand_in_columns(gdb: Path, tmp_path: Path) -> None:
    def em_colunas(nome: str, tabela: pa.Table, _: str | None) -> dict:
        indice = next(i for i, c in enumerate(tabela.schema) if pa.types.is_binary(c.type))
        formas = shapely.from_wkb(tabela.column(indice).to_numpy(zero_copy_only=False))
        tabela = tabela.remove_column(indice)
        for coluna, valores in (
            ("POINT_X", shapely.get_x(formas)),
            ("POINT_Y", shapely.get_y(formas)),
        ):
            tabela = tabela.append_column(coluna, pa.array(valores))
        return {nome: (tabela, None)}

    def sem_nada(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        ((_, (dados, _)),) = em_colunas(nome, tabela, tipo).items()
        return {nome: (dados.drop_columns(["POINT_X"]), None)}

    with (
        abrir(gdb) as certa,
        abrir(reescrever(gdb, tmp_path / "x.gdb", PONNOT=em_colunas)) as fonte,
    ):
        assert pontos(fonte)[0] == pytest.approx(pontos(certa)[0], abs=1e-8)
    recusada(reescrever(gdb, tmp_path / "y.gdb", PONNOT=sem_nada), "sem pontos .*POINT_X")


def test_a_month_that_is_no_number_is_refused(gdb: Path, tmp_path: Path) -> None:
    def em_texto(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        indice = tabela.schema.get_field_index("ENE_07")
        coluna = pa.array(["12,5", *["doze"] * (len(tabela) - 1)])
        return {nome: (tabela.set_column(indice, "ENE_07", coluna), tipo)}

    recusada(reescrever(gdb, tmp_path / "x.gdb", UCBT=em_texto), "camada UCBT, coluna ENE_07")


@pytest.mark.parametrize(("dist", "safra"), [(61111.0, "61111-2024"), (61111.5, None)])
def test_a_whole_real_is_an_integer(
    gdb: Path, tmp_path: Path, dist: float, safra: str | None
) -> None:
    def real(nome: str, tabela: pa.Table, tipo: str | None) -> dict:
        indice = tabela.schema.get_field_index("DIST")
        coluna = pa.array([dist] * len(tabela), pa.float64())
        return {nome: (tabela.set_column(indice, "DIST", coluna), tipo)}

    mudado = reescrever(
        gdb,
        tmp_path / "x.gdb",
        **dict.fromkeys(("BASE", "UCAT", "UCMT", "UCBT", "PONNOT", "CONJ"), real),
    )
    if safra is None:
        recusada(mudado, "DIST.*61111.5")
    else:
        with abrir(mudado) as fonte:
            assert [s.chave for s in fonte.safras] == [safra]
            assert sum(lote.dados.num_rows for lote in fonte.lotes(UCBT)) > 50


def test_what_is_no_geodatabase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vazia.gdb").mkdir()
    recusada(tmp_path / "vazia.gdb", "não é uma geodatabase")
    texto = tmp_path / "texto.gdb.zip"
    texto.write_text("nada")
    recusada(texto, "zip truncado")
    with zipfile.ZipFile(tmp_path / "csv.zip", "w") as pacote:
        pacote.writestr("ucmt_pj.csv", "DIST;ENE_01\n")
    recusada(tmp_path / "csv.zip", "não é uma geodatabase")


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


def test_a_zip_may_grow_as_much_as_is_allowed_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as pacote:
        pacote.writestr("a", bytes(1000))
    monkeypatch.setattr(pacote_zip, "_RAZAO_MAXIMA", 0)
    monkeypatch.setattr(pacote_zip, "_FOLGA_DE_RAZAO", 1000)
    with pacote_zip.abrir(tmp_path / "x.zip") as aberto:
        assert aberto.namelist() == ["a"]
    monkeypatch.setattr(pacote_zip, "_FOLGA_DE_RAZAO", 999)
    with pytest.raises(EntradaInvalida, match="cresce"), pacote_zip.abrir(tmp_path / "x.zip"):
        pass


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


@pytest.mark.parametrize(("free", "fits"), [(3 * 2**20 - 1, False), (3 * 2**20, True)])
def test_a_zip_is_extracted_where_there_is_room_for_all_of_it(
    free: int, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        for name in ("x.gdb/A", "x.gdb/b", "x.gdb/c", "x.gdb/d/e", "f"):
            made.writestr(name, bytes(2**20))
    room = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: room)
    with zipfile.ZipFile(tmp_path / "x.zip") as package:
        extraction = pacote_zip.extrair(package, PurePosixPath("x.gdb"), "y.gdb")
        if not fits:
            with (
                pytest.raises(EntradaInvalida, match="precisa de 3 MiB livres em .*, há 2;"),
                extraction,
            ):
                pass
            return
        with extraction as folder:
            assert folder.name == "y.gdb"
            found = {file.name: file.stat().st_size for file in folder.iterdir()}
            assert found == {"a": 2**20, "b": 2**20, "c": 2**20}


def test_a_dead_process_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, age in (("morto", 60.5), ("de-agora", 50)):
        folder = tmp_path / f"intel-lead-bdgd-{name}"
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
    pacote_zip.limpar_abandonadas()
    assert [folder.name for folder in tmp_path.iterdir()] == ["intel-lead-bdgd-de-agora"]


def test_the_hash_is_of_content_not_of_place_or_lock_files(gdb: Path, tmp_path: Path) -> None:
    copia = copiar(gdb, tmp_path / "outra.gdb").parent
    for passageiro in ("_gdb.maquina.1.sr.lock", "._a00000001.gdbtable", ".DS_Store"):
        (copia / passageiro).write_bytes(b"x")
    assert arquivos.somar_sha256(copia) == arquivos.somar_sha256(gdb)
    (copia / "gdb").write_bytes(b"x")
    assert arquivos.somar_sha256(copia) != arquivos.somar_sha256(gdb)


def test_nothing_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "x.gdb").mkdir()
    (tmp_path / "x.csv").touch()
    for path in (tmp_path / "x.gdb", tmp_path / "x.csv"):
        with pytest.raises(EntradaInvalida, match="arquivo vazio; baixe"):
            arquivos.somar_sha256(path)
    (tmp_path / "x.csv").write_bytes(b"a")
    assert arquivos.somar_sha256(tmp_path / "x.csv") == hashlib.sha256(b"a").hexdigest()
