"""Arrow batches to PostgreSQL: CSV in memory, COPY, reading and writing overlapped.

Belongs here: moving rows. Not here: what a source is (geodatabase.py, csv_pj.py), the ledger.
"""

import csv
import itertools
import json
import math
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import IO, Any, TypeVar

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from psycopg import sql

from loaders import physics
from loaders.camadas import Camada
from loaders.colunas import motivos_de_rejeicao
from loaders.copies import REASON as COPIA
from loaders.copies import Copies, Months
from loaders.particoes import Folha
from loaders.safra import Safra

T = TypeVar("T")

_SEM_CABECALHO = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
_REJEITOS_EM_MEMORIA = 16 * 2**20


@dataclass(frozen=True)
class Rejeitado:
    """A row that was not landed, whole, with the reason."""

    linha: int
    motivo: str
    registro: dict[str, Any]


@dataclass(frozen=True)
class Lote:
    """Rows of one layer and safra, typed as the raw layer.

    Attributes:
        linhas: int64, the rows' 1-based numbers in the source.
        rejeitados: rows of the source that the reader itself could not make into such.
    """

    safra: Safra
    dados: pa.RecordBatch
    linhas: pa.Array
    rejeitados: tuple[Rejeitado, ...] = ()


def numerar(primeira: int, quantas: int) -> pa.Array:
    """Consecutive row numbers for ``Lote.linhas``."""
    return pa.array(np.arange(primeira, primeira + quantas, dtype=np.int64))


@dataclass(frozen=True)
class Coluna:
    """One monthly column of the rows of a batch: values, their sum, the greatest."""

    linhas: int
    soma: float
    maximo: float | None


@dataclass(frozen=True)
class Pacote:
    """A batch ready for COPY.

    Attributes:
        corrigidos: what was made null → how many values.
        colunas_mensais: monthly column → what its landed rows come to.
    """

    safra: Safra
    colunas: tuple[str, ...]
    csv: memoryview
    lidas: int
    rejeitados: list[Rejeitado]
    corrigidos: Counter[str]
    colunas_mensais: dict[str, Coluna]
    kwh: float


@dataclass
class Soma:
    """Totals of one layer of one safra; ``kwh`` and the columns' are of the landed rows.

    Attributes:
        lidas: rows that the source gave.
        aterrissadas: rows that PostgreSQL says it took.
        motivos: reason → rejected rows.
        corrigidos: what was made null → values.
        parcelas: monthly column → one entry per batch.
    """

    lidas: int = 0
    aterrissadas: int = 0
    motivos: Counter[str] = field(default_factory=Counter)
    corrigidos: Counter[str] = field(default_factory=Counter)
    parcelas: dict[str, list[Coluna]] = field(default_factory=dict)
    sobrepostas: int = 0
    kwh: float = 0.0

    @property
    def rejeitadas(self) -> int:
        """Rows kept in raw.rejeitado."""
        return self.motivos.total()

    def somar(self, pacote: Pacote) -> None:
        """Take one more packet into account."""
        self.lidas += pacote.lidas
        self.motivos.update(rejeitado.motivo for rejeitado in pacote.rejeitados)
        self.corrigidos.update(pacote.corrigidos)
        for nome, coluna in pacote.colunas_mensais.items():
            self.parcelas.setdefault(nome, []).append(coluna)
        self.kwh += pacote.kwh

    def mensais(self) -> dict[str, Coluna]:
        """Each monthly column of the whole layer, added up exactly."""
        return {
            nome: Coluna(
                sum(p.linhas for p in parcelas),
                math.fsum(p.soma for p in parcelas),
                max((p.maximo for p in parcelas if p.maximo is not None), default=None),
            )
            for nome, parcelas in self.parcelas.items()
        }


def empacotar(
    lote: Lote,
    camada: Camada,
    *,
    copias: Copies | None = None,
    meses: Months | None = None,
    hoje: date | None = None,
) -> Pacote:
    """Split off the rows that cannot be landed and write the others as PostgreSQL's CSV.

    Null is an unquoted nothing, an empty string is ``""``: both survive the trip.

    Args:
        lote: the rows.
        camada: their layer.
        copias: what has gone by of this layer and safra.
        meses: likewise, the months with energy of each unit.
        hoje: the day of landing.
    """
    dados = lote.dados.add_column(0, "linha", lote.linhas)
    rejeitados: list[Rejeitado] = []
    for motivo, mascara in motivos_de_rejeicao(lote.dados, camada).items():
        rejeitados += _rejeitar(dados.filter(mascara), motivo)
    if rejeitados:
        rejeitados = list({r.linha: r for r in reversed(rejeitados)}.values())
        dados = _sem(dados, [r.linha for r in rejeitados])
    dados, corrigidos = physics.corrected(dados, camada, hoje or date.today())  # noqa: DTZ011
    csv_dos_dados = _csv(dados)
    copias = copias or Copies()
    if repetidas := copias.repeated(csv_dos_dados, copias.judged(dados, camada), dados.num_rows):
        copiadas = _rejeitar(dados.take(pa.array(repetidas)), COPIA)
        dados = _sem(dados, [r.linha for r in copiadas])
        csv_dos_dados = _csv(dados)
        rejeitados += copiadas
    if meses is not None:
        meses.add(dados, camada)
    mensais = _mensais(dados, camada)
    return Pacote(
        safra=lote.safra,
        colunas=tuple(dados.schema.names),
        csv=memoryview(csv_dos_dados),
        lidas=lote.dados.num_rows + len(lote.rejeitados),
        rejeitados=[*rejeitados, *lote.rejeitados],
        corrigidos=corrigidos,
        colunas_mensais=mensais,
        kwh=math.fsum(mensais[c].soma for c in camada.colunas_energia if c in mensais),
    )


def _rejeitar(dados: pa.RecordBatch, motivo: str) -> list[Rejeitado]:
    return [Rejeitado(r.pop("linha"), motivo, r) for r in dados.to_pylist()]


def _sem(dados: pa.RecordBatch, linhas: list[int]) -> pa.RecordBatch:
    fora = pc.is_in(dados.column("linha"), pa.array(linhas, pa.int64()))
    return dados.filter(pc.invert(fora))


def _csv(dados: pa.RecordBatch) -> bytes:
    saida = pa.BufferOutputStream()
    pa_csv.write_csv(dados, saida, _SEM_CABECALHO)
    return saida.getvalue().to_pybytes()


def _mensais(dados: pa.RecordBatch, camada: Camada) -> dict[str, Coluna]:
    """Summed in Arrow: nothing that dbt or PostgreSQL does has a part in it."""
    mensais = {}
    for nome in (f"{serie}_{mes:02d}" for serie in camada.series for mes in range(1, 13)):
        if nome in dados.schema.names:
            coluna = dados.column(nome)
            mensais[nome] = Coluna(
                len(coluna) - coluna.null_count,
                pc.sum(coluna).as_py() or 0.0,
                pc.max(coluna).as_py(),
            )
    return mensais


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
    somas = {safra: Soma() for safra in folhas}
    copias: defaultdict[Safra, Copies] = defaultdict(Copies)
    meses: defaultdict[Safra, Months] = defaultdict(Months)
    hoje = date.today()  # noqa: DTZ011 - the day where the person is who lands the file
    with (
        closing(adiantado(lotes)) as lidos,
        closing(
            adiantado(
                empacotar(
                    lote, camada, copias=copias[lote.safra], meses=meses[lote.safra], hoje=hoje
                )
                for lote in lidos
            )
        ) as pacotes,
        tempfile.SpooledTemporaryFile(_REJEITOS_EM_MEMORIA, "w+", encoding="utf-8") as rejeitos,
    ):
        escritor = csv.writer(rejeitos)

        def contar() -> Iterator[Pacote]:
            for pacote in pacotes:
                folha = folhas[pacote.safra]
                somas[pacote.safra].somar(pacote)
                escritor.writerows(_linhas_rejeitadas(pacote, folha, arquivo))
                progresso(pacote.lidas)
                yield pacote

        for safra, grupo in itertools.groupby(contar(), key=attrgetter("safra")):
            somas[safra].aterrissadas += _copiar(conn, folhas[safra].nova, grupo)
        rejeitos.seek(0)
        _copiar_rejeitos(conn, rejeitos)
    for safra, soma in somas.items():
        soma.sobrepostas = meses[safra].overlapping()
    return somas


def _copiar(conn: psycopg.Connection, tabela: sql.Identifier, pacotes: Iterator[Pacote]) -> int:
    """COPY consecutive packets of one leaf, of equal columns; the rows that PostgreSQL took."""
    primeiro = next(pacotes)
    comando = sql.SQL("copy {} ({}) from stdin (format csv, freeze)").format(
        tabela, sql.SQL(", ").join(map(sql.Identifier, primeiro.colunas))
    )
    with conn.cursor() as cursor:
        with cursor.copy(comando) as copy:
            for pacote in itertools.chain([primeiro], pacotes):
                copy.write(pacote.csv)
        return cursor.rowcount


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
