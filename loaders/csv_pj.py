"""ANEEL's ``ucat_pj``, ``ucmt_pj``, ``ucbt_pj`` CSVs as a source: legal persons, the whole country.

Belongs here: header, splitting one file into safras, what a person is told. Not here: lines
(csv_lines.py), counting (csv_census.py), column types, PostgreSQL.
"""

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

from loaders import csv_census, pacote_zip
from loaders.camadas import NUMERO, TEXTO, Camada
from loaders.colunas import Correspondencia, casar, converter, inteiro
from loaders.copia import Lote, Rejeitado
from loaders.csv_census import Census
from loaders.csv_lines import BLOCK, Grammar, Lines, Malformed, read_grammar
from loaders.erros import EntradaInvalida
from loaders.fonte import Fonte
from loaders.kinds import identify
from loaders.number_text import COMMA, NONE, POINT, Notation
from loaders.registro import PARCIAL
from loaders.safra import Safra, ler_data

_NUMERO_OU_DATA = re.compile(r"[-\d.,]{1,8}$|\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|\d{1,2}[A-Za-z]{3}\d{4}")
"""No longer than a DIST or a DATA_BASE: a CPF is a number too."""
_SO_PJ = "somente pessoas jurídicas (arquivo _pj)"
_MALFORMED_SHARE = 0.1
"""Of the records: with more of them misshapen the file is not what it says (as in regras.py)."""
_COORDINATES = frozenset({"point_x", "point_y"})
"""Degrees have no thousands."""


@dataclass(frozen=True)
class _File:
    """A CSV that was counted.

    Attributes:
        columns: unique names for the parser, the header's own where they are.
        dist: name of the distributor's column.
        date: name of the base date's column, if there is one.
        matched: which raw column each of the columns is.
        notations: column → how its numbers are written.
        safras: (DIST, DATA_BASE) as written → safra, of those to land.
        every: the same of all that the file has.
    """

    path: Path
    grammar: Grammar
    columns: tuple[str, ...]
    dist: str
    date: str | None
    matched: Correspondencia
    notations: dict[str, Notation]
    safras: dict[tuple[str, str], Safra]
    every: dict[tuple[str, str], Safra]

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name

    def owner(self, dist: str) -> Safra | None:
        """The safra of a record without shape: the file's one, or its distributor's only one.

        Raises:
            EntradaInvalida: the file has several that it may be of.
        """
        of_file = {safra.chave: safra for safra in self.every.values()}
        code = inteiro(dist)
        found = [s for s in of_file.values() if len(of_file) == 1 or s.distribuidora_id == code]
        if len(found) != 1:
            raise EntradaInvalida(
                f"{self.name}: há linhas sem os {len(self.columns)} campos do cabeçalho, e não se"
                " sabe de que safra são; corrija o arquivo ou baixe-o de novo"
            )
        return found[0] if found[0] in self.safras.values() else None


@contextmanager
def abrir(
    caminho: Path, *, safra: Safra | None = None, milhar: str | None = None
) -> Iterator[Fonte]:
    """Open a ``_pj`` CSV, or a zip with one inside.

    Reads it twice: first it only counts, to know its safras, records and how it writes numbers.

    Args:
        caminho: the file.
        safra: the only vintage to take; required when there is no DATA_BASE.
        milhar: what groups thousands in columns that do not tell: ``ponto``, ``virgula``, ``nao``.

    Raises:
        EntradaInvalida: not such a CSV, rows without DIST or base date, nothing of that vintage,
            a column whose numbers can be read in two ways.
    """
    camada = identify(caminho).layer
    if camada is None:
        raise EntradaInvalida(f"{caminho.name}: não é um CSV ucat_pj, ucmt_pj nem ucbt_pj")
    with _fluxo(caminho) as fluxo:
        grammar = read_grammar(fluxo, caminho.name)
    columns, dist, date = _columns(grammar, camada, caminho.name)
    matched = casar(camada, columns)
    numeric = {
        source: columns.index(source)
        for raw, source in matched.fontes.items()
        if camada.colunas[raw] != TEXTO
    }
    keys = tuple(columns.index(c) for c in (dist, date) if c)
    grouped = tuple(
        columns.index(source)
        for raw, source in matched.fontes.items()
        if camada.colunas[raw] == NUMERO and raw not in _COORDINATES
    )
    with _fluxo(caminho) as fluxo:
        census = csv_census.take(
            fluxo, grammar, caminho.name, keys=keys, numeric=numeric, grouped=grouped
        )
    _refuse_misshapen(census, caminho.name)
    every = _safras(census, caminho.name, dated=date is not None, asked=safra)
    wanted = {key: s for key, s in every.items() if safra is None or s.chave == safra.chave}
    if not wanted:
        raise EntradaInvalida(f"{caminho.name}: nenhuma linha da safra {safra and safra.chave}")
    notations = _notations(census, matched, caminho.name, milhar)
    if milhar != NONE:
        _refuse_another_notation(census, wanted, notations, caminho.name)
    file = _File(caminho, grammar, columns, dist, date, matched, notations, wanted, every)
    yield _fonte(file, census)


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


def _columns(
    grammar: Grammar, camada: Camada, nome: str
) -> tuple[tuple[str, ...], str, str | None]:
    """The columns' unique names, DIST's and DATA_BASE's."""
    seen: Counter[str] = Counter()
    columns = []
    for name in grammar.names:
        seen[name.casefold()] += 1
        again = seen[name.casefold()] > 1 or not name
        columns.append(f"{name}#{len(columns)}" if again else name)
    twice = [n for n, count in seen.items() if count > 1 and casar(camada, [n]).fontes]
    if twice:
        raise EntradaInvalida(
            f"{nome}: o cabeçalho tem {', '.join(twice).upper()} mais de uma vez; deixe uma só"
        )
    nomes = {name.casefold(): name for name in columns}
    faltam = {"dist", f"{camada.energia[0]}_01"} - nomes.keys()
    if faltam:
        raise EntradaInvalida(
            f"{nome}: o cabeçalho não tem {', '.join(sorted(faltam)).upper()};"
            " não é o CSV _pj da ANEEL"
        )
    return tuple(columns), nomes["dist"], nomes.get("data_base")


def _refuse_misshapen(census: Census, nome: str) -> None:
    bad = census.malformed.total()
    if not census.records:
        raise EntradaInvalida(f"{nome}: nenhuma linha; baixe o arquivo de novo")
    if census.cut:
        raise EntradaInvalida(
            f"{nome}: CSV malformado: a última linha para no meio, o arquivo veio cortado;"
            " baixe o arquivo de novo"
        )
    if bad > _MALFORMED_SHARE * census.records:
        raise EntradaInvalida(
            f"{nome}: CSV malformado: {bad} de {census.records} linhas não têm os campos do"
            " cabeçalho; baixe o arquivo de novo"
        )


def _safras(
    census: Census, nome: str, *, dated: bool, asked: Safra | None
) -> dict[tuple[str, str], Safra]:
    """Key as written → safra; one safra per distributor and year, with its latest base date."""
    if not dated and asked is None:
        raise EntradaInvalida(f"{nome}: sem coluna DATA_BASE; informe --safra, como 401-2024")
    lidas: dict[tuple[str, str], Safra] = {}
    for (dist, texto), ruins in census.keys.items():
        codigo = inteiro(dist)
        data_base = ler_data(texto) if dated else asked and asked.data_base
        if codigo is None or data_base is None:
            raise EntradaInvalida(
                f"{nome}: {ruins} linhas com DIST ou DATA_BASE ilegível"
                f" ({_sem_texto(dist)}, {_sem_texto(texto)}); corrija o arquivo"
            )
        try:
            lidas[dist, texto] = Safra.de_data(codigo, data_base)
        except EntradaInvalida as erro:
            raise EntradaInvalida(f"{nome}: {ruins} linhas com {erro}; corrija o arquivo") from None
    ultimas = {safra: safra for safra in sorted(lidas.values(), key=lambda s: s.data_base)}
    unicas = {safra.chave: safra for safra in ultimas.values()}
    return {chave: unicas[safra.chave] for chave, safra in lidas.items()}


def _notations(
    census: Census, matched: Correspondencia, nome: str, milhar: str | None
) -> dict[str, Notation]:
    """How each column writes its numbers.

    Raises:
        EntradaInvalida: a column does not tell and neither does ``milhar``.
    """
    notations = {}
    raw = {source: column for column, source in matched.fontes.items()}
    for column, shapes in census.shapes.items():
        said = NONE if raw[column] in _COORDINATES else milhar
        if values := shapes.doubtful(said):
            quoted = " e ".join(map(repr, values)) + (" podem" if values[1:] else " pode")
            point = "." in values[0]
            raise EntradaInvalida(
                f"{nome}: camada {matched.camada.nome}, coluna {column}: {quoted} ser"
                " milhares ou decimais; se são milhares, use --milhar"
                f" {POINT if point else COMMA}, se são decimais, --milhar {NONE}"
            )
        notations[column] = shapes.notation(said)
    return notations


def _refuse_another_notation(
    census: Census, wanted: dict[tuple[str, str], Safra], notations: dict[str, Notation], nome: str
) -> None:
    """A safra that groups thousands in a file whose other safras have decimals: files put together.

    Raises:
        EntradaInvalida: no number of a safra tells, and its groups would be read as decimals.
    """
    for key, safra in wanted.items():
        shapes = census.written.get(key)
        values = shapes.doubtful(None) if shapes else []
        mark = "." if values and "." in values[0] else ","
        group = "point_group" if mark == "." else "comma_group"
        if not values[1:] or not any(
            notations[column].group != mark and (of_file.settled(mark) or group in of_file.seen)
            for column, of_file in census.shapes.items()
        ):
            continue
        raise EntradaInvalida(
            f"{nome}: na safra {safra.chave}, {' e '.join(map(repr, values))} podem ser milhares,"
            " e as outras do arquivo não os agrupam; se são milhares, separe-a num arquivo e use"
            f" --milhar {POINT if mark == '.' else COMMA}, se são decimais, --milhar {NONE}"
        )


def _fonte(file: _File, census: Census) -> Fonte:
    camada = file.matched.camada
    linhas: Counter[tuple[Safra, str]] = Counter()
    for key, safra in file.safras.items():
        linhas[safra, camada.nome] += census.keys[key]
    for dist, count in census.malformed.items():
        if safra := file.owner(dist):
            linhas[safra, camada.nome] += count
    avisos = [_SO_PJ]
    if len(file.safras) < len(file.every):
        avisos.append(PARCIAL)
    if file.matched.desconhecidas:
        names = ", ".join(name for name in file.matched.desconhecidas if not name.startswith("#"))
        avisos += [f"colunas não carregadas: {names}"] if names else []
    avisos += file.matched.months_missing
    if census.unended:
        avisos.append(
            "o arquivo acaba sem fim de linha: se veio cortado, o último valor da última linha"
            f" ({file.columns[-1]}) está incompleto"
        )
    observacoes = {camada.nome: tuple(avisos)}

    def lotes(_: Camada) -> Iterator[Lote]:
        with _fluxo(file.path) as fluxo:
            lines = Lines(fluxo, file.grammar, file.name)  # type: ignore[arg-type]
            yield from _lotes(file, lines)
        observacoes[camada.nome] += tuple(_notes(lines))

    return Fonte(
        safras=tuple(sorted(set(file.safras.values()))),
        camadas=(camada,),
        linhas=dict(linhas),
        observacoes=observacoes,
        lotes=lotes,
    )


def _notes(lines: Lines) -> Iterator[str]:
    """What the reader had to mend, for the ledger."""
    if lines.recoded:
        yield f"{lines.recoded} linhas do arquivo não eram UTF-8 e foram lidas como cp1252"
    if lines.nul:
        yield f"{lines.nul} linhas do arquivo tinham bytes nulos, que foram retirados"
    if lines.headings:
        yield f"o cabeçalho se repete {lines.headings} vezes no arquivo e foi passado por alto"


def _parse(file: _File, lines: Lines, columns: list[str]) -> pa_csv.CSVStreamingReader:
    """Stream some columns as text, by the header's own names."""
    return pa_csv.open_csv(
        lines,
        read_options=pa_csv.ReadOptions(block_size=BLOCK, column_names=file.columns),
        parse_options=pa_csv.ParseOptions(delimiter=file.grammar.separator),
        convert_options=pa_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=False,
        ),
    )


def _chaves(file: _File, lote: pa.RecordBatch) -> pa.Array:
    data = lote.column(file.date) if file.date else pa.scalar("")
    return pc.binary_join_element_wise(lote.column(file.dist), data, "|")


def _lotes(file: _File, lines: Lines) -> Iterator[Lote]:
    """The rows of each safra, batch by batch; what has no shape comes with the last of them."""
    columns = list(
        dict.fromkeys([*file.matched.fontes.values(), *([file.date] if file.date else [])])
    )
    safras = {"|".join(key): safra for key, safra in file.safras.items()}
    primeira = 0
    try:
        for lote in _parse(file, lines, columns):
            numeros = pa.array(lines.numbers(primeira, lote.num_rows))
            primeira += lote.num_rows
            chaves = _chaves(file, lote)
            presentes = [chave for chave in pc.unique(chaves).to_pylist() if chave in safras]
            pedidas = pc.is_in(chaves, pa.array(presentes, pa.string()))
            chaves, numeros = chaves.filter(pedidas), numeros.filter(pedidas)
            dados = converter(
                lote.filter(pedidas), file.matched, arquivo=file.name, notacoes=file.notations
            )
            for safra in dict.fromkeys(safras[chave] for chave in presentes):
                dela = pa.array([chave for chave in presentes if safras[chave] == safra])
                mascara = pc.is_in(chaves, dela)
                yield Lote(safra, dados.filter(mascara), numeros.filter(mascara))
    except pa.ArrowInvalid as erro:
        raise EntradaInvalida(
            f"{file.name}: CSV malformado ({_sem_valores(erro)}); baixe o arquivo de novo"
        ) from None
    yield from _misshapen(file, lines.malformed, dados.slice(0, 0))


def _sem_valores(erro: pa.ArrowInvalid) -> str:
    """Arrow's reason without the row that it quotes."""
    return str(erro).partition(": ")[2].partition(": ")[0] or "estrutura"


def _misshapen(
    file: _File, malformed: list[tuple[int, Malformed]], none: pa.RecordBatch
) -> Iterator[Lote]:
    """Batches without rows that carry the rejected lines of each safra."""
    dist = file.columns.index(file.dist)
    rejected: dict[Safra, list[Rejeitado]] = {}
    for number, record in malformed:
        safra = file.owner("".join(record.cells[dist : dist + 1]))
        if safra:
            rejected.setdefault(safra, []).append(
                Rejeitado(number, record.reason, {"texto": record.text})
            )
    for safra, rows in rejected.items():
        yield Lote(safra, none, pa.array([], pa.int64()), tuple(rows))
