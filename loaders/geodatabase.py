"""An Esri file geodatabase of ANEEL's BDGD as a source: what it holds, streamed layer by layer.

Belongs here: opening with GDAL, BASE, geometry to coordinates. Not here: PostgreSQL, column types.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from loaders import pacote_zip
from loaders.arquivos import CATALOGO
from loaders.camadas import CAMADAS, CAMADAS_UC, PONNOT, Camada
from loaders.colunas import (
    Correspondencia,
    casar,
    converter,
    inteiro,
    linhas_de_outra_distribuidora,
)
from loaders.copia import Lote, numerar
from loaders.erros import EntradaInvalida
from loaders.fonte import Fonte
from loaders.safra import Safra, ler_data

PRINCIPAIS = (*CAMADAS_UC, PONNOT)
"""The layers without which a geodatabase is none of ours: one at least must be there."""

_LINHAS_POR_LOTE = 5_000
_DATUM = 4674
_NOME_DE_ARQUIVO = re.compile(r"_(?P<dist>\d+)_(?P<data>\d{4}-\d{2}-\d{2})_")

_DANO = re.compile(r"corrupt|could not be found|declares|guess|invalid|error", re.IGNORECASE)
_ILEGIVEL = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException)
"""What GDAL and Arrow raise on damaged bytes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Camada:
    """One layer as it is in the file."""

    nome: str
    linhas: int
    correspondencia: Correspondencia
    geometria: bool
    crs: str | None


@contextmanager
def abrir(caminho: Path, *, safra: Safra | None = None) -> Iterator[Fonte]:
    """Open a ``.gdb`` folder, or a zip with one inside.

    Args:
        caminho: folder or zip.
        safra: the vintage, for a file that does not say it.

    Raises:
        EntradaInvalida: not a geodatabase, unreadable, two BASE rows, no layer to land, no vintage.
    """
    with _pasta(caminho) as pasta:
        try:
            with _avisos_do_gdal(caminho.name):
                fonte = _fonte(pasta, caminho.name, safra)
            yield fonte
        except _ILEGIVEL as erro:
            raise EntradaInvalida(
                f"{caminho.name}: o GDAL não lê a geodatabase ({erro}); baixe o arquivo de novo"
            ) from erro


@contextmanager
def _pasta(caminho: Path) -> Iterator[Path]:
    if caminho.is_dir():
        yield caminho
        return
    with pacote_zip.abrir(caminho) as pacote:
        pastas = {
            PurePosixPath(nome).parent
            for nome in pacote.namelist()
            if PurePosixPath(nome).name == CATALOGO
        }
        if len(pastas) != 1:
            raise EntradaInvalida(
                f"{caminho.name}: o zip tem {len(pastas)} geodatabases; deve ter uma pasta .gdb"
            )
        with pacote_zip.extrair(pacote, pastas.pop(), "bdgd.gdb") as pasta:
            yield pasta


def _fonte(pasta: Path, arquivo: str, safra: Safra | None) -> Fonte:
    nomes = _nomes_das_camadas(pasta, arquivo)
    camadas = {c.nome: _descrever(pasta, c, nomes) for c in CAMADAS if _achar(c.nome, nomes)}
    presentes = [c for c in PRINCIPAIS if c.nome in camadas]
    if not presentes:
        raise EntradaInvalida(
            f"{arquivo}: nenhuma das camadas UCAT, UCMT, UCBT, PONNOT; não é uma BDGD"
        )
    if not any(camadas[c.nome].linhas for c in presentes):
        raise EntradaInvalida(
            f"{arquivo}: {', '.join(c.nome for c in presentes)} sem nenhuma linha;"
            " baixe o arquivo de novo"
        )
    avisos: list[str] = []
    catalogo = _nomes_do_catalogo(pasta)
    vintage = _safra_de_base(pasta, arquivo, nomes, safra)
    if vintage is None:
        vintage = safra or _safra_adivinhada(pasta, arquivo, [camadas[c.nome] for c in presentes])
        avisos.append(f"sem BASE: safra {vintage.chave} pela opção --safra ou pelo nome do arquivo")

    def lotes(camada: Camada) -> Iterator[Lote]:
        return _lotes(pasta, arquivo, camadas[camada.nome], vintage)

    return Fonte(
        safras=(vintage,),
        camadas=CAMADAS,
        linhas={(vintage, nome): c.linhas for nome, c in camadas.items()},
        observacoes={
            c.nome: (*avisos, *_observacoes(camadas.get(c.nome), _achar(c.nome, catalogo)))
            for c in CAMADAS
        },
        lotes=lotes,
    )


@contextmanager
def _avisos_do_gdal(arquivo: str) -> Iterator[None]:
    """Take GDAL's warnings: it goes on, guessing, over damage that we must refuse."""
    with warnings.catch_warnings(record=True) as avisos:
        warnings.simplefilter("always")
        yield
    # Other threads' warnings are recorded as well, those of imports; GDAL's come as this category.
    dele = (aviso for aviso in avisos if aviso.category is RuntimeWarning)
    for texto in dict.fromkeys(str(aviso.message) for aviso in dele):
        if _DANO.search(texto):
            raise EntradaInvalida(
                f"{arquivo}: geodatabase danificada ({texto}); baixe o arquivo de novo"
            )
        log.warning("%s: GDAL: %s", arquivo, texto)


def _nomes_das_camadas(pasta: Path, arquivo: str) -> list[str]:
    for indice in sorted(pasta.glob("*.gdbtablx")):
        if not indice.with_suffix(".gdbtable").exists():  # GDAL would not miss the layer
            raise EntradaInvalida(
                f"{arquivo}: geodatabase danificada (falta {indice.stem}.gdbtable);"
                " baixe o arquivo de novo"
            )
    try:
        nomes = [str(nome) for nome in pyogrio.list_layers(pasta)[:, 0]]
        driver = pyogrio.read_info(pasta, layer=nomes[0])["driver"] if nomes else "OpenFileGDB"
    except _ILEGIVEL as erro:
        raise EntradaInvalida(
            f"{arquivo}: não é uma geodatabase legível ({erro}); baixe o arquivo de novo"
        ) from erro
    if driver != "OpenFileGDB":
        raise EntradaInvalida(f"{arquivo}: é {driver}, não uma geodatabase (.gdb)")
    return nomes


def _achar(nome: str, nomes: list[str]) -> str | None:
    """A layer by name, any case, with or without ``_tab``."""
    procurados = (nome.lower(), f"{nome.lower()}_tab")
    return next((n for n in nomes if n.lower() in procurados), None)


def _descrever(pasta: Path, camada: Camada, nomes: list[str]) -> _Camada:
    nome = _achar(camada.nome, nomes)
    info = pyogrio.read_info(pasta, layer=nome, force_feature_count=True)
    geometria = "point_x" in camada.colunas and "Point" in str(info["geometry_type"])
    correspondencia = casar(camada, [str(c) for c in info["fields"]])
    if not correspondencia.fontes:
        raise EntradaInvalida(f"{pasta.name}: camada {nome} sem nenhuma coluna da BDGD")
    return _Camada(
        nome=str(nome),
        linhas=int(info["features"]),
        correspondencia=correspondencia,
        geometria=geometria,
        crs=info["crs"] if geometria else None,
    )


def _nomes_do_catalogo(pasta: Path) -> list[str]:
    """Every table that the geodatabase once had, its data deleted or not."""
    try:
        return [linha["Name"] for linha in _ler_registros(pasta, "GDB_SystemCatalog", ["Name"])]
    except _ILEGIVEL:
        return []


def _observacoes(camada: _Camada | None, no_catalogo: str | None) -> list[str]:
    if camada is None and no_catalogo:
        return [f"camada ausente, mas {no_catalogo} está no catálogo: os dados foram retirados"]
    if camada is None:
        return ["camada ausente no arquivo"]
    avisos = [] if camada.linhas else ["camada vazia no arquivo"]
    if camada.correspondencia.desconhecidas:
        avisos.append("colunas não carregadas: " + ", ".join(camada.correspondencia.desconhecidas))
    if "cod_id" not in camada.correspondencia.fontes:
        avisos.append("sem COD_ID: chave pela linha")
    if camada.geometria and camada.crs is None:
        avisos.append("sem sistema de coordenadas: lido como SIRGAS 2000")
    return avisos


def _safra_de_base(
    pasta: Path, arquivo: str, nomes: list[str], pedida: Safra | None
) -> Safra | None:
    """The vintage that BASE gives; None when the file has no usable BASE and one was asked for."""
    nome = _achar("BASE", nomes)
    linhas = _ler_registros(pasta, nome) if nome else []
    if len(linhas) > 1:
        raise EntradaInvalida(
            f"{arquivo}: camada BASE com {len(linhas)} linhas, deve ter uma; corrija o arquivo"
        )
    if not linhas:
        return None
    base = {chave.lower(): valor for chave, valor in linhas[0].items()}
    dist, data_base = inteiro(base.get("dist")), ler_data(base.get("dat_fnl"))
    if dist is None or data_base is None:
        if pedida:
            return None
        raise EntradaInvalida(
            f"{arquivo}: camada BASE sem DIST ou DAT_FNL legível"
            f" ({base.get('dist')!r}, {base.get('dat_fnl')!r}); informe --safra, como 401-2024"
        )
    vintage = Safra.de_data(dist, data_base)
    if pedida and pedida != vintage:
        raise EntradaInvalida(
            f"{arquivo}: BASE diz safra {vintage.chave}, mas foi pedida {pedida.chave};"
            " tire a opção --safra"
        )
    return vintage


def _ler_registros(
    pasta: Path, nome: str, colunas: list[str] | None = None
) -> list[dict[str, Any]]:
    with pyogrio.open_arrow(
        pasta, layer=nome, columns=colunas, read_geometry=False, use_pyarrow=True
    ) as (_, leitor):
        return leitor.read_all().to_pylist()


def _safra_adivinhada(pasta: Path, arquivo: str, presentes: list[_Camada]) -> Safra:
    """Without BASE: the one DIST of the rows and the date in the file's name, or nothing."""
    dists = set()
    for camada in presentes:
        coluna = camada.correspondencia.fontes.get("dist")
        if coluna:
            dists |= {linha[coluna] for linha in _ler_registros(pasta, camada.nome, [coluna])}
    no_nome = _NOME_DE_ARQUIVO.search(arquivo)
    data_base = ler_data(no_nome["data"]) if no_nome else None
    dist = inteiro(dists.pop()) if len(dists) == 1 else None
    if dist is None or data_base is None:
        raise EntradaInvalida(
            f"{arquivo}: sem camada BASE, e a safra não se deduz das linhas e do nome do arquivo;"
            " informe --safra distribuidora-ano, como --safra 401-2024"
        )
    return Safra.de_data(dist, data_base)


def _lotes(pasta: Path, arquivo: str, camada: _Camada, safra: Safra) -> Iterator[Lote]:
    colunas = list(camada.correspondencia.fontes.values())
    linha, alheias = 1, 0
    try:
        with (
            _avisos_do_gdal(arquivo),
            pyogrio.open_arrow(
                pasta,
                layer=camada.nome,
                columns=colunas,
                read_geometry=camada.geometria,
                batch_size=_LINHAS_POR_LOTE,
                use_pyarrow=True,
            ) as (meta, leitor),
        ):
            geometria = (meta["geometry_name"] or "wkb_geometry") if camada.geometria else None
            for bruto in leitor:
                dados = converter(bruto, camada.correspondencia, arquivo=arquivo)
                if geometria:
                    dados = _com_coordenadas(dados, bruto.column(geometria), camada.crs)
                alheias += linhas_de_outra_distribuidora(dados, safra.distribuidora_id)
                yield Lote(safra, dados, numerar(linha, dados.num_rows))
                linha += dados.num_rows
    except _ILEGIVEL as erro:
        raise EntradaInvalida(
            f"{arquivo}: camada {camada.nome} ilegível na linha {linha} ou depois ({erro});"
            " baixe o arquivo de novo"
        ) from erro
    if linha - 1 != camada.linhas:
        raise EntradaInvalida(
            f"{arquivo}: camada {camada.nome} diz ter {camada.linhas} linhas, só {linha - 1} foram"
            " lidas; baixe o arquivo de novo"
        )
    if alheias:
        raise EntradaInvalida(
            f"{arquivo}: camada {camada.nome}, coluna DIST: {alheias} linhas não são da"
            f" distribuidora {safra.distribuidora_id} de BASE; corrija o arquivo"
        )


def _com_coordenadas(dados: pa.RecordBatch, wkb: pa.Array, crs: str | None) -> pa.RecordBatch:
    x, y = ler_pontos(wkb)
    if crs and crs != f"EPSG:{_DATUM}":
        from pyproj import Transformer  # rare, and slow to import

        x, y = Transformer.from_crs(crs, _DATUM, always_xy=True).transform(x, y)
    for nome, valores in (("point_x", x), ("point_y", y)):
        if nome not in dados.schema.names:
            dados = dados.append_column(nome, pa.array(valores, mask=~np.isfinite(valores)))
    return dados


def ler_pontos(wkb: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of WKB points (little-endian, 2D, Z or M); NaN for null, empty, not a point."""
    if wkb.type != pa.binary():
        wkb = wkb.cast(pa.binary())
    inicio = np.frombuffer(wkb.buffers()[1], "<i4", len(wkb) + 1, wkb.offset * 4)
    tamanho = np.diff(inicio)
    pontos = np.full((len(wkb), 2), np.nan)
    if wkb.buffers()[2] is not None:
        octetos = np.frombuffer(wkb.buffers()[2], np.uint8)
        cheios = np.flatnonzero(tamanho >= 21)
        faixa = inicio[cheios][:, None] + np.arange(21)
        registros = octetos[faixa] if len(cheios) else np.empty((0, 21), np.uint8)
        tipo = registros[:, 1:5].copy().view("<u4").ravel() & 0x0FFFFFFF
        e_ponto = (registros[:, 0] == 1) & (tipo % 1000 == 1)
        pontos[cheios[e_ponto]] = registros[e_ponto, 5:21].copy().view("<f8").reshape(-1, 2)
    return pontos[:, 0], pontos[:, 1]
