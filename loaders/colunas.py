"""From a source's columns to a raw layer's: names, types, and which rows cannot be landed.

Belongs here: pure Arrow computations, the same for geodatabase and CSV. Not here: reading, writing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from loaders import number_text, physics
from loaders.camadas import CAMADAS_UC, IGNORADAS, INTEIRO, NUMERO, RENOMES, TEXTO, Camada
from loaders.erros import EntradaInvalida
from loaders.number_text import Notation, sayable

_TIPOS = {TEXTO: pa.string(), INTEIRO: pa.int32(), NUMERO: pa.float64()}
_CODIGOS = frozenset({"mun", "cep", "cnae"})
_INTEIRO = re.compile(r"\+?(\d+)(?:[.,]0*)?")


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

    @property
    def months_missing(self) -> list[str]:
        """Notes on twelve-month columns of which the source has some and lacks others."""
        notes = []
        for prefix in self.camada.series:
            months = [f"{prefix}_{m:02d}" for m in range(1, 13)]
            gone = [month.upper() for month in months if month not in self.fontes]
            if gone and (len(gone) < len(months) or prefix in self.camada.energia):
                said = gone[0] if len(gone) == 1 else f"{gone[0]} a {gone[-1]} ({len(gone)})"
                notes.append(f"faltam no arquivo as colunas {said}: esses meses ficam sem valor")
        return notes


def casar(
    camada: Camada, nomes: Iterable[str], renomes: Mapping[str, str] = RENOMES
) -> Correspondencia:
    """Match source columns by name, any case, any order; a V11 name wins over its older one."""
    fontes: dict[str, str] = {}
    sobras = []
    exatos = {n.lower() for n in nomes}
    for nome in nomes:
        minusculo = nome.lower()
        destino = renomes.get(minusculo, minusculo)
        superado = destino != minusculo and destino in exatos
        if destino in camada.colunas and destino not in fontes and not superado:
            fontes[destino] = nome
        elif minusculo not in IGNORADAS and not camada.parcial:
            sobras.append(nome)
    return Correspondencia(
        camada, {c: fontes[c] for c in camada.colunas if c in fontes}, tuple(sobras)
    )


def converter(
    lote: pa.RecordBatch,
    correspondencia: Correspondencia,
    *,
    arquivo: str = "",
    notacoes: Mapping[str, Notation] = MappingProxyType({}),
) -> pa.RecordBatch:
    """Name and type the columns as the raw layer does.

    Args:
        lote: rows as the source has them.
        correspondencia: which of its columns is which.
        arquivo: what a message calls the source.
        notacoes: source column → how it writes numbers as text; each batch tells where it is not.

    Raises:
        EntradaInvalida: a column's values do not fit the raw type; names layer, column and two.
    """
    camada = correspondencia.camada
    colunas = {}
    for destino, fonte in correspondencia.fontes.items():
        tipo = camada.colunas[destino]
        valores = lote.column(fonte)
        try:
            colunas[destino] = _converter_coluna(valores, _TIPOS[tipo], notacoes.get(fonte))
            if destino in _CODIGOS:
                colunas[destino] = _sem_decimais(colunas[destino])
        except pa.ArrowException:
            onde = f"{arquivo}: " if arquivo else ""
            motivo = _por_que_nao_cabe(valores, tipo, notacoes.get(fonte))
            raise EntradaInvalida(
                f"{onde}camada {camada.nome}, coluna {fonte}: {motivo}; corrija a coluna no"
                " arquivo de origem"
            ) from None
    return pa.RecordBatch.from_pydict(colunas)


def _converter_coluna(valores: pa.Array, alvo: pa.DataType, notacao: Notation | None) -> pa.Array:
    tipo = valores.type
    if tipo.equals(alvo):
        return valores
    if pa.types.is_floating(tipo) and alvo != pa.float64():  # pandas writes a missing whole as NaN
        valores = pc.if_else(pc.is_nan(valores), pa.scalar(None, tipo), valores)
    if alvo == pa.string():
        if pa.types.is_floating(tipo):  # a code that was stored as a real is whole
            return valores.cast(pa.int64()).cast(alvo)
        if pa.types.is_binary(tipo) or pa.types.is_boolean(tipo):
            raise pa.ArrowInvalid("not text")
        if pa.types.is_temporal(tipo):
            return pc.strftime(valores, format="%d/%m/%Y")
        return valores.cast(alvo)
    if pa.types.is_string(tipo) or pa.types.is_large_string(tipo):
        return _converter_coluna(
            number_text.read(valores, notacao or _da_amostra(valores)), alvo, None
        )
    if pa.types.is_integer(tipo) or pa.types.is_floating(tipo) or pa.types.is_null(tipo):
        return valores.cast(alvo)
    raise pa.ArrowInvalid("not a number")


def _sem_decimais(codigos: pa.Array) -> pa.Array:
    """Codes of digits that went through a column of reals: ``4309803.0``."""
    if not pc.any(pc.ends_with(codigos, ".0")).as_py():
        return codigos
    return pc.replace_substring_regex(codigos, r"^(\d+)\.0$", r"\1")


def _da_amostra(textos: pa.Array) -> Notation:
    """Numbers that a geodatabase keeps as text are told by the batch; groups are refused."""
    return Notation("", "," if pc.any(pc.match_substring(textos, ",")).as_py() else ".")


def _por_que_nao_cabe(valores: pa.Array, tipo: str, notacao: Notation | None) -> str:
    """What does not fit, two values of it, and what is likely to have caused it."""
    ruins = []
    for valor in pc.unique(valores):
        try:
            _converter_coluna(pa.array([valor.as_py()], valores.type), _TIPOS[tipo], notacao)
        except pa.ArrowException:
            ruins.append(valor.as_py())
        if len(ruins) == 2:
            break
    if tipo == TEXTO:
        # What is text may name a person: said is only that a real is not whole, or the type.
        ditos = [repr(v) for v in ruins if isinstance(v, float)]
        dito = f" ({' e '.join(ditos)})" if ditos else ""
        return f"valores do tipo {valores.type} não cabem em text{dito}"
    ditos = [sayable(str(valor)) for valor in ruins]
    dito = " e ".join(dict.fromkeys(ditos)) or f"valores do tipo {valores.type}"
    return f"{dito} não cabe em {tipo} ({_causa(ditos, tipo)})"


def _causa(ditos: list[str], tipo: str) -> str:
    if not ditos:
        return "o tipo da coluna é outro"
    if not any(dito[0] == "'" and dito[1] != "#" for dito in ditos):
        return "coluna trocada, ou separador a mais na linha"
    if tipo == INTEIRO:
        return "deve ser um inteiro de até dez algarismos"
    return "milhares e decimais misturados na coluna"


def inteiro(texto: object) -> int | None:
    """A whole number however it was written: ``61111``, ``61111.0``, 61111.0; else None."""
    achado = _INTEIRO.fullmatch(str(texto).strip())
    return int(achado[1]) if achado else None


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
        regras |= physics.impossible_energy(energias, camada)
    if "cod_id" in lote.schema.names and camada in CAMADAS_UC:
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
