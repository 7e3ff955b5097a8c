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

from loaders.bdgd import number_text, physics
from loaders.bdgd.layers import IGNORED, INTEGER, NUMBER, RENAMES, TEXT, UC_LAYERS, Layer
from loaders.bdgd.number_text import Notation, sayable
from loaders.errors import InvalidInput

_TYPES = {TEXT: pa.string(), INTEGER: pa.int32(), NUMBER: pa.float64()}
_CODES = frozenset({"mun", "cep", "cnae"})
_WHOLE = re.compile(r"\+?(\d+)(?:[.,]0*)?")


@dataclass(frozen=True)
class Match:
    """How one source layer's columns map to a raw layer.

    Attributes:
        layer: the raw layer.
        sources: raw column → source column, in the raw layer's order.
        unknown: source columns that no raw column takes; reported, not landed.
    """

    layer: Layer
    sources: dict[str, str]
    unknown: tuple[str, ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """Raw columns that this source does not have."""
        return tuple(name for name in self.layer.columns if name not in self.sources)

    @property
    def months_missing(self) -> list[str]:
        """Notes on twelve-month columns of which the source has some and lacks others."""
        notes = []
        for prefix in self.layer.series:
            months = [f"{prefix}_{m:02d}" for m in range(1, 13)]
            gone = [month.upper() for month in months if month not in self.sources]
            if gone and (len(gone) < len(months) or prefix in self.layer.energy):
                said = gone[0] if len(gone) == 1 else f"{gone[0]} a {gone[-1]} ({len(gone)})"
                notes.append(f"faltam no arquivo as colunas {said}: esses meses ficam sem valor")
        return notes


def match_columns(
    layer: Layer, names: Iterable[str], renames: Mapping[str, str] = RENAMES
) -> Match:
    """Match source columns by name, any case, any order; a V11 name wins over its older one."""
    sources: dict[str, str] = {}
    unmatched = []
    exact = {n.lower() for n in names}
    for name in names:
        lower = name.lower()
        target = renames.get(lower, lower)
        superseded = target != lower and target in exact
        if target in layer.columns and target not in sources and not superseded:
            sources[target] = name
        elif lower not in IGNORED and not layer.partial_load:
            unmatched.append(name)
    return Match(layer, {c: sources[c] for c in layer.columns if c in sources}, tuple(unmatched))


def convert(
    batch: pa.RecordBatch,
    match: Match,
    *,
    file: str = "",
    notations: Mapping[str, Notation] = MappingProxyType({}),
) -> pa.RecordBatch:
    """Name and type the columns as the raw layer does.

    Args:
        batch: rows as the source has them.
        match: which of its columns is which.
        file: what a message calls the source.
        notations: source column → how it writes numbers as text; each batch tells where it is not.

    Raises:
        InvalidInput: a column's values do not fit the raw type; names layer, column and two.
    """
    layer = match.layer
    columns = {}
    for target, source in match.sources.items():
        dtype = layer.columns[target]
        values = batch.column(source)
        try:
            columns[target] = _convert_column(values, _TYPES[dtype], notations.get(source))
            if target in _CODES:
                columns[target] = _without_decimals(columns[target])
        except pa.ArrowException:
            where = f"{file}: " if file else ""
            reason = _why_it_does_not_fit(values, dtype, notations.get(source))
            raise InvalidInput(
                f"{where}camada {layer.name}, coluna {source}: {reason}; corrija a coluna no"
                " arquivo de origem"
            ) from None
    return pa.RecordBatch.from_pydict(columns)


def _convert_column(values: pa.Array, target: pa.DataType, notation: Notation | None) -> pa.Array:
    dtype = values.type
    if dtype.equals(target):
        return values
    if (
        pa.types.is_floating(dtype) and target != pa.float64()
    ):  # pandas writes a missing whole as NaN
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, dtype), values)
    if target == pa.string():
        if pa.types.is_floating(dtype):  # a code that was stored as a real is whole
            return values.cast(pa.int64()).cast(target)
        if pa.types.is_binary(dtype) or pa.types.is_boolean(dtype):
            raise pa.ArrowInvalid("not text")
        if pa.types.is_temporal(dtype):
            return pc.strftime(values, format="%d/%m/%Y")
        return values.cast(target)
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype):
        return _convert_column(
            number_text.read(values, notation or _of_sample(values)), target, None
        )
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_null(dtype):
        return values.cast(target)
    raise pa.ArrowInvalid("not a number")


def _without_decimals(codes: pa.Array) -> pa.Array:
    """Codes of digits that went through a column of reals: ``4309803.0``."""
    if not pc.any(pc.ends_with(codes, ".0")).as_py():
        return codes
    return pc.replace_substring_regex(codes, r"^(\d+)\.0$", r"\1")


def _of_sample(texts: pa.Array) -> Notation:
    """Numbers that a geodatabase keeps as text are told by the batch; groups are refused."""
    return Notation("", "," if pc.any(pc.match_substring(texts, ",")).as_py() else ".")


def _why_it_does_not_fit(values: pa.Array, dtype: str, notation: Notation | None) -> str:
    """What does not fit, two values of it, and what is likely to have caused it."""
    ruins = []
    for value in pc.unique(values):
        try:
            _convert_column(pa.array([value.as_py()], values.type), _TYPES[dtype], notation)
        except pa.ArrowException:
            ruins.append(value.as_py())
        if len(ruins) == 2:
            break
    if dtype == TEXT:
        # What is text may name a person: said is only that a real is not whole, or the type.
        all_said = [repr(v) for v in ruins if isinstance(v, float)]
        said = f" ({' e '.join(all_said)})" if all_said else ""
        return f"valores do tipo {values.type} não cabem em text{said}"
    all_said = [sayable(str(value)) for value in ruins]
    said = " e ".join(dict.fromkeys(all_said)) or f"valores do tipo {values.type}"
    return f"{said} não cabe em {dtype} ({_cause(all_said, dtype)})"


def _cause(all_said: list[str], dtype: str) -> str:
    if not all_said:
        return "o tipo da coluna é outro"
    if not any(said[0] == "'" and said[1] != "#" for said in all_said):
        return "coluna trocada, ou separador a mais na linha"
    if dtype == INTEGER:
        return "deve ser um inteiro de até dez algarismos"
    return "milhares e decimais misturados na coluna"


def whole_number(text: object) -> int | None:
    """A whole number however it was written: ``61111``, ``61111.0``, 61111.0; else None."""
    found = _WHOLE.fullmatch(str(text).strip())
    return int(found[1]) if found else None


def rows_of_another_distribuidora(batch: pa.RecordBatch, distribuidora_id: int) -> int:
    """Rows whose DIST is neither blank nor this distributor's."""
    if "dist" not in batch.schema.names:
        return 0
    return pc.sum(pc.not_equal(batch.column("dist"), distribuidora_id)).as_py() or 0


def rejection_reasons(batch: pa.RecordBatch, layer: Layer) -> dict[str, pa.Array]:
    """Reason → mask of the rows that cannot be keyed, placed or added up; empty for most batches.

    One NaN is a layer's whole energy, and NaN is below no limit and differs from nothing.
    """
    rules = {}
    energies = [batch.column(c) for c in layer.energy_columns if c in batch.schema.names]
    if energies:
        rules["energia que não é um número finito"] = reduce(pc.or_, map(_not_finite, energies))
        rules |= physics.impossible_energy(energies, layer)
    if "cod_id" in batch.schema.names and layer in UC_LAYERS:
        rules["cod_id em branco"] = _blank(batch.column("cod_id"))
    if layer.name == "PONNOT":
        if "cod_id" in batch.schema.names:
            rules["cod_id em branco"] = _blank(batch.column("cod_id"))
        if "point_x" in batch.schema.names:
            rules["ponto sem geometria"] = pc.is_null(batch.column("point_x"), nan_is_null=True)
    return {reason: mask for reason, mask in rules.items() if pc.any(mask).as_py()}


def _not_finite(numbers: pa.Array) -> pa.Array:
    return pc.fill_null(pc.invert(pc.is_finite(numbers)), False)


def _blank(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True)
