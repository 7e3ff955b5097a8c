"""From a source's columns to a raw layer's: names, types, and which rows cannot be landed.

Belongs here: pure Arrow computations, the same for geodatabase and CSV. Not here: reading, writing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from loaders.camadas import IGNORADAS, INTEIRO, NUMERO, RENOMES, TEXTO, Camada
from loaders.erros import EntradaInvalida

_TIPOS = {TEXTO: pa.string(), INTEIRO: pa.int32(), NUMERO: pa.float64()}


@dataclass(frozen=True)
class Correspondencia:
    """How one source layer's columns map to a raw layer.

    Attributes:
        camada: the raw layer.
        fontes: raw column → source column, in the raw layer's order.
        desconhecidas: source columns that no raw column takes; reported, not landed.
    """

    camada: Camada
    fontes: dict[str, str]
    desconhecidas: tuple[str, ...]

    @property
    def ausentes(self) -> tuple[str, ...]:
        """Raw columns that this source does not have."""
        return tuple(nome for nome in self.camada.colunas if nome not in self.fontes)


def casar(camada: Camada, nomes: Iterable[str]) -> Correspondencia:
    """Match source columns by name, any case, any order; a V11 name wins over its older one."""
    fontes: dict[str, str] = {}
    sobras = []
    exatos = {n.lower() for n in nomes}
    for nome in nomes:
        minusculo = nome.lower()
        destino = RENOMES.get(minusculo, minusculo)
        superado = destino != minusculo and destino in exatos
        if destino in camada.colunas and destino not in fontes and not superado:
            fontes[destino] = nome
        elif minusculo not in IGNORADAS:
            sobras.append(nome)
    return Correspondencia(
        camada, {c: fontes[c] for c in camada.colunas if c in fontes}, tuple(sobras)
    )


def converter(lote: pa.RecordBatch, correspondencia: Correspondencia) -> pa.RecordBatch:
    """Name and type the columns as the raw layer does.

    Raises:
        EntradaInvalida: a column's values do not fit the raw type; names layer and column.
    """
    camada = correspondencia.camada
    colunas = {}
    for destino, fonte in correspondencia.fontes.items():
        tipo = camada.colunas[destino]
        try:
            colunas[destino] = _converter_coluna(lote.column(fonte), _TIPOS[tipo])
        except pa.ArrowException:
            raise EntradaInvalida(
                f"camada {camada.nome}, coluna {fonte}: valores do tipo {lote.column(fonte).type}"
                f" não cabem em {tipo}; corrija a coluna no arquivo de origem"
            ) from None
    return pa.RecordBatch.from_pydict(colunas)


def _converter_coluna(valores: pa.Array, alvo: pa.DataType) -> pa.Array:
    tipo = valores.type
    if tipo.equals(alvo):
        return valores
    if alvo == pa.string():
        if pa.types.is_floating(tipo) or pa.types.is_binary(tipo) or pa.types.is_boolean(tipo):
            raise pa.ArrowInvalid("not text")
        if pa.types.is_temporal(tipo):
            return pc.strftime(valores, format="%d/%m/%Y")
        return valores.cast(alvo)
    if pa.types.is_string(tipo) or pa.types.is_large_string(tipo):
        return _ler_numeros(valores).cast(alvo)
    if pa.types.is_integer(tipo) or pa.types.is_floating(tipo) or pa.types.is_null(tipo):
        return valores.cast(alvo)
    raise pa.ArrowInvalid("not a number")


def _ler_numeros(textos: pa.Array) -> pa.Array:
    """Parse decimal point or decimal comma; blank is null."""
    limpos = pc.utf8_trim_whitespace(textos)
    limpos = pc.if_else(pc.equal(limpos, ""), pa.scalar(None, limpos.type), limpos)
    if pc.any(pc.match_substring(limpos, ",")).as_py():
        limpos = pc.replace_substring(limpos, ",", ".")
    return limpos.cast(pa.float64())


def linhas_de_outra_distribuidora(lote: pa.RecordBatch, distribuidora_id: int) -> int:
    """Rows whose DIST is neither blank nor this distributor's."""
    if "dist" not in lote.schema.names:
        return 0
    return pc.sum(pc.not_equal(lote.column("dist"), distribuidora_id)).as_py() or 0


def motivos_de_rejeicao(lote: pa.RecordBatch, camada: Camada) -> dict[str, pa.Array]:
    """Reason → mask of the rows that cannot be keyed, placed or added up; empty for most batches.

    One NaN is a layer's whole energy, and NaN is below no limit and differs from nothing.
    """
    regras = {}
    energias = [lote.column(c) for c in camada.colunas_energia if c in lote.schema.names]
    if energias:
        regras["energia que não é um número finito"] = reduce(pc.or_, map(_nao_finito, energias))
    if "cod_id" in lote.schema.names and camada.energia:
        regras["cod_id em branco"] = _em_branco(lote.column("cod_id"))
    if camada.nome == "PONNOT":
        if "cod_id" in lote.schema.names:
            regras["cod_id em branco"] = _em_branco(lote.column("cod_id"))
        if "point_x" in lote.schema.names:
            regras["ponto sem geometria"] = pc.is_null(lote.column("point_x"), nan_is_null=True)
    return {motivo: mascara for motivo, mascara in regras.items() if pc.any(mascara).as_py()}


def _nao_finito(numeros: pa.Array) -> pa.Array:
    return pc.fill_null(pc.invert(pc.is_finite(numeros)), False)


def _em_branco(textos: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(textos), ""), True)
