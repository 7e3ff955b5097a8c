"""ANEEL's ``ucat_pj``, ``ucmt_pj``, ``ucbt_pj`` CSVs as a source: legal persons, the whole country.

Belongs here: encoding, header, splitting one file into safras. Not here: column types, PostgreSQL.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loaders import pacote_zip
from loaders.camadas import Camada
from loaders.colunas import Correspondencia, casar, converter
from loaders.copia import Lote, numerar
from loaders.erros import EntradaInvalida
from loaders.fonte import Fonte
from loaders.kinds import identify
from loaders.registro import PARCIAL
from loaders.safra import Safra, ler_data

_BLOCO = 2 * 2**20
_NUMERO_OU_DATA = re.compile(r"[-\d.,]{1,8}$|\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|\d{1,2}[A-Za-z]{3}\d{4}")
"""No longer than a DIST or a DATA_BASE: a CPF is a number too."""
_SO_PJ = "somente pessoas jurídicas (arquivo _pj)"


@dataclass(frozen=True)
class _Arquivo:
    """A CSV whose header was read.

    Attributes:
        colunas: header names as written.
        dist: name of the distributor's column.
        data: name of the base date's column, if there is one.
    """

    caminho: Path
    separador: str
    colunas: tuple[str, ...]
    dist: str
    data: str | None

    @property
    def nome(self) -> str:
        """What messages call it."""
        return self.caminho.name


class _Sonda:
    """A binary file that notes, as it is read, whether it is UTF-8."""

    def __init__(self, arquivo: BinaryIO) -> None:
        self._arquivo = arquivo
        self._decodificador = codecs.getincrementaldecoder("utf-8")()
        self.utf8 = True
        self.closed = False

    def read(self, tamanho: int = -1) -> bytes:
        """Read bytes through."""
        bloco = self._arquivo.read(tamanho)
        if self.utf8:
            try:
                self._decodificador.decode(bloco, final=not bloco)
            except UnicodeDecodeError:
                self.utf8 = False
        return bloco


@contextmanager
def abrir(caminho: Path, *, safra: Safra | None = None) -> Iterator[Fonte]:
    """Open a ``_pj`` CSV, or a zip with one inside.

    Reads it twice: first only DIST and DATA_BASE, to know its safras, rows and encoding.

    Args:
        caminho: the file.
        safra: the only vintage to take; required when there is no DATA_BASE.

    Raises:
        EntradaInvalida: not such a CSV, rows without DIST or base date, nothing of that vintage.
    """
    camada = identify(caminho).layer
    if camada is None:
        raise EntradaInvalida(f"{caminho.name}: não é um CSV ucat_pj, ucmt_pj nem ucbt_pj")
    try:
        with _fluxo(caminho) as fluxo:
            arquivo = _ler_cabecalho(caminho, fluxo, camada)
        contagem, codificacao = _contar(arquivo)
        safras = _safras(arquivo, contagem, safra)
        correspondencia = casar(camada, arquivo.colunas)
        yield _fonte(arquivo, correspondencia, codificacao, contagem, safras)
    except pa.ArrowInvalid as erro:
        raise EntradaInvalida(
            f"{caminho.name}: CSV malformado ({_sem_valores(erro)}); baixe o arquivo de novo"
        ) from None


def _sem_valores(erro: pa.ArrowInvalid) -> str:
    """Arrow's reason without the row that it quotes."""
    return str(erro).partition(": ")[2].partition(": ")[0] or "estrutura"


def _sem_texto(celula: str) -> str:
    """A key cell for a message: text in it is another column's, of a row that lost its shape."""
    if achado := _NUMERO_OU_DATA.match(celula.strip()):
        return repr(achado[0])
    return "outro texto" if celula.strip() else "vazio"


@contextmanager
def _fluxo(caminho: Path) -> Iterator[BinaryIO]:
    """The CSV's bytes; out of a zip they are streamed and their CRC-32 is checked at the end."""
    if (membro := identify(caminho).member) is None:
        with caminho.open("rb") as arquivo:
            yield arquivo
        return
    with pacote_zip.abrir(caminho) as pacote, pacote.open(membro) as arquivo:
        yield arquivo  # type: ignore[misc]


def _ler_cabecalho(caminho: Path, fluxo: BinaryIO, camada: Camada) -> _Arquivo:
    linha = fluxo.readline(64 * 1024).removeprefix(codecs.BOM_UTF8).decode("latin-1").strip()
    separador = ";" if ";" in linha else ","
    colunas = tuple(nome.strip('"') for nome in linha.split(separador))
    nomes = {nome.lower(): nome for nome in colunas}
    faltam = {"dist", f"{camada.energia[0]}_01"} - nomes.keys()
    if faltam:
        raise EntradaInvalida(
            f"{caminho.name}: o cabeçalho não tem {', '.join(sorted(faltam)).upper()};"
            " não é o CSV _pj da ANEEL"
        )
    return _Arquivo(caminho, separador, colunas, nomes["dist"], nomes.get("data_base"))


def _ler(
    arquivo: _Arquivo,
    fluxo: BinaryIO | _Sonda,
    colunas: list[str],
    *,
    tipo: pa.DataType,
    codificacao: str = "utf8",
) -> pa_csv.CSVStreamingReader:
    """Stream some columns, all of one type, by the header's own names."""
    return pa_csv.open_csv(
        fluxo,
        read_options=pa_csv.ReadOptions(
            block_size=_BLOCO, encoding=codificacao, column_names=arquivo.colunas, skip_rows=1
        ),
        parse_options=pa_csv.ParseOptions(delimiter=arquivo.separador, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            include_columns=colunas,
            column_types=dict.fromkeys(colunas, tipo),
            strings_can_be_null=False,
        ),
    )


def _contar(arquivo: _Arquivo) -> tuple[Counter[str], str]:
    """Rows per DIST and DATA_BASE as written, and the file's encoding."""
    contagem: Counter[str] = Counter()
    colunas = [nome for nome in (arquivo.dist, arquivo.data) if nome]
    with _fluxo(arquivo.caminho) as fluxo:
        sonda = _Sonda(fluxo)
        # As bytes: transcoding the whole file to count two ASCII columns would double the time.
        for lote in _ler(arquivo, sonda, colunas, tipo=pa.binary()):
            for par in pc.value_counts(_chaves(arquivo, lote)).to_pylist():
                contagem[par["values"].decode("latin-1")] += par["counts"]
    if not contagem:
        raise EntradaInvalida(f"{arquivo.nome}: nenhuma linha; baixe o arquivo de novo")
    return contagem, "utf8" if sonda.utf8 else "latin1"


def _chaves(arquivo: _Arquivo, lote: pa.RecordBatch) -> pa.Array:
    dist = lote.column(arquivo.dist)
    data = lote.column(arquivo.data) if arquivo.data else pa.scalar("", dist.type)
    return pc.binary_join_element_wise(dist, data, pa.scalar("|", dist.type))


def _safras(arquivo: _Arquivo, contagem: Counter[str], pedida: Safra | None) -> dict[str, Safra]:
    """Key as written → safra; one safra per distributor and year, with its latest base date."""
    if arquivo.data is None and pedida is None:
        raise EntradaInvalida(
            f"{arquivo.nome}: sem coluna DATA_BASE; informe --safra, como 401-2024"
        )
    lidas: dict[str, Safra] = {}
    for chave in contagem:
        dist, _, texto = chave.partition("|")
        data_base = ler_data(texto) if arquivo.data else pedida and pedida.data_base
        if not dist.strip().isdigit() or data_base is None:
            ruins = contagem[chave]
            raise EntradaInvalida(
                f"{arquivo.nome}: {ruins} linhas com DIST ou DATA_BASE ilegível"
                f" ({_sem_texto(dist)}, {_sem_texto(texto)}); corrija o arquivo"
            )
        lidas[chave] = Safra.de_data(int(dist), data_base)
    if pedida:
        lidas = {chave: safra for chave, safra in lidas.items() if safra == pedida}
        if not lidas:
            raise EntradaInvalida(f"{arquivo.nome}: nenhuma linha da safra {pedida.chave}")
    ultimas = {safra: safra for safra in sorted(lidas.values(), key=lambda s: s.data_base)}
    unicas = {safra.chave: safra for safra in ultimas.values()}
    return {chave: unicas[safra.chave] for chave, safra in lidas.items()}


def _fonte(
    arquivo: _Arquivo,
    correspondencia: Correspondencia,
    codificacao: str,
    contagem: Counter[str],
    safras: dict[str, Safra],
) -> Fonte:
    camada = correspondencia.camada
    linhas: Counter[tuple[Safra, str]] = Counter()
    for chave, safra in safras.items():
        linhas[safra, camada.nome] += contagem[chave]
    avisos = [_SO_PJ]
    if len(safras) < len(contagem):
        avisos.append(PARCIAL)
    if correspondencia.desconhecidas:
        avisos.append("colunas não carregadas: " + ", ".join(correspondencia.desconhecidas))

    def lotes(_: Camada) -> Iterator[Lote]:
        return _lotes(arquivo, correspondencia, codificacao, safras)

    return Fonte(
        safras=tuple(sorted(set(safras.values()))),
        camadas=(camada,),
        linhas=dict(linhas),
        observacoes={camada.nome: tuple(avisos)},
        lotes=lotes,
    )


def _lotes(
    arquivo: _Arquivo,
    correspondencia: Correspondencia,
    codificacao: str,
    safras: dict[str, Safra],
) -> Iterator[Lote]:
    colunas = list(
        dict.fromkeys([*correspondencia.fontes.values(), *([arquivo.data] if arquivo.data else [])])
    )
    primeira = 1
    with _fluxo(arquivo.caminho) as fluxo:
        for lote in _ler(arquivo, fluxo, colunas, tipo=pa.string(), codificacao=codificacao):
            numeros = numerar(primeira, lote.num_rows)
            primeira += lote.num_rows
            chaves = _chaves(arquivo, lote)
            presentes = [chave for chave in pc.unique(chaves).to_pylist() if chave in safras]
            pedidas = pc.is_in(chaves, pa.array(presentes, pa.string()))
            chaves, numeros = chaves.filter(pedidas), numeros.filter(pedidas)
            dados = converter(lote.filter(pedidas), correspondencia)
            for safra in dict.fromkeys(safras[chave] for chave in presentes):
                dela = pa.array([chave for chave in presentes if safras[chave] == safra])
                mascara = pc.is_in(chaves, dela)
                yield Lote(safra, dados.filter(mascara), numeros.filter(mascara))
