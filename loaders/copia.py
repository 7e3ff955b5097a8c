"""Arrow batches to PostgreSQL: CSV in memory, COPY, reading and writing overlapped.

Belongs here: moving rows. Not here: what a source is (geodatabase.py, csv_pj.py), the ledger.
"""

import csv
import itertools
import json
import math
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from typing import IO, Any, TypeVar

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from psycopg import sql

from loaders.camadas import Camada
from loaders.colunas import motivos_de_rejeicao
from loaders.particoes import Folha
from loaders.safra import Safra

T = TypeVar("T")

_SEM_CABECALHO = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
_REJEITOS_EM_MEMORIA = 16 * 2**20


@dataclass(frozen=True)
class Lote:
    """Rows of one layer and safra, typed as the raw layer.

    Attributes:
        linhas: int64, the rows' 1-based numbers in the source.
    """

    safra: Safra
    dados: pa.RecordBatch
    linhas: pa.Array


def numerar(primeira: int, quantas: int) -> pa.Array:
    """Consecutive row numbers for ``Lote.linhas``."""
    return pa.array(np.arange(primeira, primeira + quantas, dtype=np.int64))


@dataclass(frozen=True)
class Rejeitado:
    """A row that was not landed, whole, with the reason."""

    linha: int
    motivo: str
    registro: dict[str, Any]


@dataclass(frozen=True)
class Pacote:
    """A batch ready for COPY."""

    safra: Safra
    colunas: tuple[str, ...]
    csv: memoryview
    lidas: int
    rejeitados: list[Rejeitado]
    kwh: float


@dataclass(frozen=True)
class Soma:
    """Totals of one layer of one safra; ``kwh`` is of the landed rows."""

    lidas: int = 0
    rejeitadas: int = 0
    kwh: float = 0.0

    def __add__(self, pacote: Pacote) -> "Soma":
        """The totals with one more packet."""
        return Soma(
            self.lidas + pacote.lidas,
            self.rejeitadas + len(pacote.rejeitados),
            self.kwh + pacote.kwh,
        )


def empacotar(lote: Lote, camada: Camada) -> Pacote:
    """Split off the rows that cannot be landed and write the others as PostgreSQL's CSV.

    Null is an unquoted nothing, an empty string is ``""``: both survive the trip.
    """
    dados = lote.dados.add_column(0, "linha", lote.linhas)
    rejeitados: list[Rejeitado] = []
    for motivo, mascara in motivos_de_rejeicao(lote.dados, camada).items():
        rejeitados += [
            Rejeitado(registro.pop("linha"), motivo, registro)
            for registro in dados.filter(mascara).to_pylist()
        ]
    if rejeitados:
        rejeitados = list({r.linha: r for r in rejeitados}.values())
        fora = pa.array([r.linha for r in rejeitados], pa.int64())
        dados = dados.filter(pc.invert(pc.is_in(lote.linhas, fora)))
    saida = pa.BufferOutputStream()
    pa_csv.write_csv(dados, saida, _SEM_CABECALHO)
    return Pacote(
        safra=lote.safra,
        colunas=tuple(dados.schema.names),
        csv=memoryview(saida.getvalue()),
        lidas=lote.dados.num_rows,
        rejeitados=rejeitados,
        kwh=math.fsum(
            pc.sum(dados.column(c)).as_py() or 0.0
            for c in camada.colunas_energia
            if c in dados.schema.names
        ),
    )


def adiantado(itens: Iterable[T], *, folga: int = 2) -> Iterator[T]:
    """Yield ``itens`` while a thread works ``folga`` of them ahead.

    GDAL, Arrow and COPY all leave the GIL, so that reading and writing overlap.
    """
    fonte = iter(itens)
    fim: Any = object()
    with ThreadPoolExecutor(1, "leitura") as leitor:
        adiante = deque(leitor.submit(next, fonte, fim) for _ in range(folga))
        try:
            while (item := adiante.popleft().result()) is not fim:
                adiante.append(leitor.submit(next, fonte, fim))
                yield item
        finally:
            leitor.shutdown(cancel_futures=True)


def copiar_camada(
    conn: psycopg.Connection,
    camada: Camada,
    folhas: Mapping[Safra, Folha],
    lotes: Iterable[Lote],
    *,
    arquivo: str,
    progresso: Callable[[int], None],
) -> dict[Safra, Soma]:
    """COPY one layer into its leaves and its rejected rows into raw.rejeitado.

    Three threads: GDAL reads (the slowest), Arrow writes CSV, this one feeds COPY.

    Args:
        conn: connection in the transaction that created the leaves, as FREEZE asks.
        camada: the layer.
        folhas: safra → leaf, for every safra of ``lotes``.
        lotes: the rows.
        arquivo: what raw.rejeitado calls the file.
        progresso: called with the rows of each packet.

    Raises:
        EntradaInvalida: a row cannot be read or typed, or is of another distributor.
        psycopg.Error: PostgreSQL refused the rows or was lost.
    """
    somas = dict.fromkeys(folhas, Soma())
    with (
        closing(adiantado(lotes)) as lidos,
        closing(adiantado(empacotar(lote, camada) for lote in lidos)) as pacotes,
        tempfile.SpooledTemporaryFile(_REJEITOS_EM_MEMORIA, "w+", encoding="utf-8") as rejeitos,
    ):
        escritor = csv.writer(rejeitos)

        def contar() -> Iterator[Pacote]:
            for pacote in pacotes:
                folha = folhas[pacote.safra]
                somas[pacote.safra] += pacote
                escritor.writerows(_linhas_rejeitadas(pacote, folha, arquivo))
                progresso(pacote.lidas)
                yield pacote

        for safra, grupo in itertools.groupby(contar(), key=attrgetter("safra")):
            _copiar(conn, folhas[safra].nova, grupo)
        rejeitos.seek(0)
        _copiar_rejeitos(conn, rejeitos)
    return somas


def _copiar(conn: psycopg.Connection, tabela: sql.Identifier, pacotes: Iterator[Pacote]) -> None:
    """COPY consecutive packets of one leaf; all have the same columns."""
    primeiro = next(pacotes)
    comando = sql.SQL("copy {} ({}) from stdin (format csv, freeze)").format(
        tabela, sql.SQL(", ").join(map(sql.Identifier, primeiro.colunas))
    )
    with conn.cursor() as cursor, cursor.copy(comando) as copy:
        for pacote in itertools.chain([primeiro], pacotes):
            copy.write(pacote.csv)


def _linhas_rejeitadas(pacote: Pacote, folha: Folha, arquivo: str) -> Iterator[tuple[object, ...]]:
    safra = folha.safra
    for r in pacote.rejeitados:
        yield (
            folha.import_id,
            safra.ano,
            safra.distribuidora_id,
            folha.camada.nome,
            arquivo,
            r.linha,
            r.motivo,
            _jsonb(r.registro),
        )


def _copiar_rejeitos(conn: psycopg.Connection, rejeitos: IO[str]) -> None:
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy raw.rejeitado (import_id, ano, distribuidora_id, origem, arquivo, linha, motivo,"
            " registro) from stdin (format csv)"
        ) as copy,
    ):
        while bloco := rejeitos.read(2**20):
            copy.write(bloco)


def _jsonb(registro: dict[str, Any]) -> str:
    """JSON that jsonb takes: no NaN, no NUL character."""
    return json.dumps({c: _limpar(v) for c, v in registro.items()}, ensure_ascii=False)


def _limpar(valor: object) -> object:
    if isinstance(valor, str):
        return valor.replace("\0", "\ufffd")
    return None if isinstance(valor, float) and not math.isfinite(valor) else valor
