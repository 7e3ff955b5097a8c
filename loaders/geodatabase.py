"""An Esri file geodatabase of ANEEL's BDGD as a source: what it holds, streamed layer by layer.

Belongs here: opening with GDAL, BASE, geometry to coordinates. Not here: PostgreSQL, column types.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from loaders import pacote_zip, shapes
from loaders.camadas import (
    CAMADAS,
    CAMADAS_DECISIVAS,
    CAMADAS_UC,
    PONNOT,
    RENOMES,
    Camada,
)
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
from loaders.gdal_warnings import open_once, refused, short
from loaders.gdb_tables import Choice, check_not_compressed, check_opened, check_tables, choose
from loaders.kinds import identify
from loaders.points import count_several, read_points
from loaders.safra import Safra, ler_data

log = logging.getLogger(__name__)

PRINCIPAIS = (*CAMADAS_UC, PONNOT)
"""The layers without which a geodatabase is none of ours: one at least must be there."""

_LINHAS_POR_LOTE = 5_000
_DATUM = 4674
_NOME_DE_ARQUIVO = re.compile(r"_(?P<dist>\d+)_(?P<data>\d{4}-\d{2}-\d{2})_")

_ILEGIVEL = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException)
"""What GDAL and Arrow raise on damaged bytes."""


@dataclass(frozen=True)
class _Camada:
    """One layer as it is in the file; ``notas`` are what a person should know of it."""

    nome: str
    linhas: int
    correspondencia: Correspondencia
    geometria: bool
    crs: str | None
    notas: tuple[str, ...]


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
            with refused(caminho.name):
                fonte = _fonte(pasta, caminho.name, safra)
            yield fonte
        except _ILEGIVEL as erro:
            raise EntradaInvalida(
                f"{caminho.name}: o GDAL não lê a geodatabase («{short(erro)}»);"
                " baixe o arquivo de novo"
            ) from erro


@contextmanager
def _pasta(caminho: Path) -> Iterator[Path]:
    if caminho.is_dir():
        yield caminho
        return
    achado = identify(caminho)
    if achado.member is None or achado.layer:
        raise EntradaInvalida(f"{caminho.name}: não é uma geodatabase")
    with (
        pacote_zip.abrir(caminho) as pacote,
        pacote_zip.extrair(pacote, PurePosixPath(achado.member), "bdgd.gdb") as pasta,
    ):
        yield pasta


def _fonte(pasta: Path, arquivo: str, safra: Safra | None) -> Fonte:
    nomes = _nomes_das_camadas(pasta, arquivo)
    escolhas = [(c, choose(pasta, arquivo, nomes, *c.nomes)) for c in CAMADAS]
    camadas = {c.nome: _descrever(pasta, arquivo, c, e) for c, e in escolhas if e}
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
        observacoes={c.nome: (*avisos, *_observacoes(camadas.get(c.nome))) for c in CAMADAS},
        lotes=lotes,
    )


def _nomes_das_camadas(pasta: Path, arquivo: str) -> list[str]:
    try:
        check_not_compressed(pasta, arquivo)
        check_tables(pasta, arquivo)
        open_once(pasta)
        nomes = [str(nome) for nome in pyogrio.list_layers(pasta)[:, 0]]
        check_opened(pasta, arquivo, nomes)
    except _ILEGIVEL as erro:
        raise EntradaInvalida(
            f"{arquivo}: não é uma geodatabase legível («{short(erro)}»); baixe o arquivo de novo"
        ) from erro
    return nomes


def _descrever(pasta: Path, arquivo: str, camada: Camada, escolha: Choice) -> _Camada:
    nome, notas = escolha.name, list(escolha.notes)
    info = pyogrio.read_info(pasta, layer=nome)
    reais = {
        str(c).lower()
        for c, tipo in zip(info["fields"], info["dtypes"], strict=True)
        if str(tipo).startswith("float")
    }
    renomes = RENOMES
    if camada.no_m10 and nome.upper().removesuffix("_TAB") == camada.no_m10[0]:
        de_codigo = {velho: n for velho, n in camada.no_m10[1].items() if velho not in reais}
        renomes = RENOMES | de_codigo
    correspondencia = casar(camada, [str(c) for c in info["fields"]], renomes)
    if not correspondencia.fontes:
        raise EntradaInvalida(f"{arquivo}: camada {nome} sem nenhuma coluna da BDGD")
    tipo = str(info["geometry_type"])
    pontos = "point_x" in camada.colunas and "Point" in tipo
    formas = "geom" in camada.colunas and info["geometry_type"] is not None
    com_pontos = pontos or {"point_x", "point_y"} <= {*correspondencia.fontes}
    if camada == PONNOT and escolha.rows and not com_pontos:
        raise EntradaInvalida(
            f"{arquivo}: camada {nome} sem pontos (geometria {tipo}) e sem POINT_X e POINT_Y;"
            " corrija o arquivo"
        )
    if pontos and "Multi" in tipo and (varios := _com_varios_pontos(pasta, nome)):
        notas.append(f"{varios} linhas com mais de um ponto: vale o primeiro")
    return _Camada(
        nome=nome,
        linhas=escolha.rows,
        correspondencia=correspondencia,
        geometria=pontos or formas,
        crs=info["crs"] if pontos or formas else None,
        notas=tuple(notas),
    )


def _com_varios_pontos(pasta: Path, nome: str) -> int:
    with pyogrio.open_arrow(pasta, layer=nome, columns=[], use_pyarrow=True) as (meta, leitor):
        coluna = meta["geometry_name"] or "wkb_geometry"
        return sum(count_several(lote.column(coluna)) for lote in leitor)


def _observacoes(camada: _Camada | None) -> list[str]:
    if camada is None:
        return ["camada ausente no arquivo"]
    avisos = [*camada.notas, *([] if camada.linhas else ["camada vazia no arquivo"])]
    if camada.correspondencia.desconhecidas:
        avisos.append("colunas não carregadas: " + ", ".join(camada.correspondencia.desconhecidas))
    avisos += camada.correspondencia.months_missing
    if "cod_id" not in camada.correspondencia.fontes:
        avisos.append("sem COD_ID: chave pela linha")
    if camada.geometria and camada.crs is None:
        avisos.append("sem sistema de coordenadas: lido como SIRGAS 2000")
    return avisos


def _safra_de_base(
    pasta: Path, arquivo: str, nomes: list[str], pedida: Safra | None
) -> Safra | None:
    """The vintage that BASE gives; None when the file has no usable BASE and one was asked for."""
    escolha = choose(pasta, arquivo, nomes, "BASE")
    linhas = _ler_registros(pasta, escolha.name) if escolha else []
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
    try:
        vintage = Safra.de_data(dist, data_base)
    except EntradaInvalida as erro:
        raise EntradaInvalida(f"{arquivo}: camada BASE: {erro}; corrija o arquivo") from None
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
    dists.discard(None)
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
    onde, linha, alheias = f"{arquivo}: camada {camada.nome}", 1, 0
    try:
        with ExitStack() as aberta:
            with refused(onde):
                meta, leitor = aberta.enter_context(_abrir_camada(pasta, camada))
            geometria = (meta["geometry_name"] or "wkb_geometry") if camada.geometria else None
            while (bruto := _proximo(leitor, onde)) is not None:
                dados = converter(bruto, camada.correspondencia, arquivo=arquivo)
                if geometria and "geom" in camada.correspondencia.camada.colunas:
                    para_sirgas = partial(_em_sirgas, arquivo, camada)
                    formas = shapes.to_ewkb(bruto.column(geometria), para_sirgas, _DATUM)
                    dados = dados.append_column("geom", formas)
                elif geometria:
                    x, y = _em_sirgas(arquivo, camada, *read_points(bruto.column(geometria)))
                    dados = _com_coordenadas(dados, x, y)
                alheias += linhas_de_outra_distribuidora(dados, safra.distribuidora_id)
                yield Lote(safra, dados, numerar(linha, dados.num_rows))
                linha += dados.num_rows
    except _ILEGIVEL as erro:
        raise EntradaInvalida(
            f"{onde} ilegível na linha {linha} ou depois («{short(erro)}»); baixe o arquivo de novo"
        ) from erro
    if linha - 1 != camada.linhas:
        raise EntradaInvalida(
            f"{onde} diz ter {camada.linhas} linhas, mas {linha - 1} foram lidas;"
            " baixe o arquivo de novo"
        )
    if alheias:
        dito = (
            f"{onde}, coluna DIST: {alheias} linhas não são da"
            f" distribuidora {safra.distribuidora_id} de BASE"
        )
        if camada.correspondencia.camada in CAMADAS_DECISIVAS:
            raise EntradaInvalida(f"{dito}; corrija o arquivo")
        log.warning("%s", dito)


def _abrir_camada(pasta: Path, camada: _Camada) -> Any:  # noqa: ANN401 - pyogrio has no name for it
    return pyogrio.open_arrow(
        pasta,
        layer=camada.nome,
        columns=list(camada.correspondencia.fontes.values()),
        read_geometry=camada.geometria,
        batch_size=_LINHAS_POR_LOTE,
        use_pyarrow=True,
    )


def _proximo(leitor: pa.RecordBatchReader, onde: str) -> pa.RecordBatch | None:
    with refused(onde):
        return next(leitor, None)


def _em_sirgas(
    arquivo: str, camada: _Camada, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in SIRGAS 2000, whatever the layer's own system."""
    if not camada.crs or camada.crs == f"EPSG:{_DATUM}":
        return x, y
    from pyproj import Transformer  # rare, and slow to import
    from pyproj.exceptions import ProjError

    try:
        return Transformer.from_crs(camada.crs, _DATUM, always_xy=True).transform(x, y)
    except ProjError:
        raise EntradaInvalida(
            f"{arquivo}: camada {camada.nome}: o sistema de coordenadas {camada.crs[:60]!r} não se"
            " converte para SIRGAS 2000; exporte em EPSG:4674"
        ) from None


def _com_coordenadas(dados: pa.RecordBatch, x: np.ndarray, y: np.ndarray) -> pa.RecordBatch:
    """The geometry's coordinates; where it has none, those of POINT_X and POINT_Y."""
    posto = np.isfinite(x) & np.isfinite(y)
    for nome, valores in (("point_x", x), ("point_y", y)):
        da_geometria = pa.array(valores, mask=~posto)
        if nome in dados.schema.names:
            indice = dados.schema.get_field_index(nome)
            dados = dados.set_column(indice, nome, pc.coalesce(da_geometria, dados.column(nome)))
        else:
            dados = dados.append_column(nome, da_geometria)
    return dados
