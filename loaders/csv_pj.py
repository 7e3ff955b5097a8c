"""ANEEL's ``ucat_pj``, ``ucmt_pj``, ``ucbt_pj`` CSVs as a source: legal persons, the whole country.

Belongs here: header, splitting one file into safras, what a person is told. Not here: lines
(csv_lines.py), counting (csv_census.py), column types, PostgreSQL.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
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
from loaders.csv_lines import BLOCK, Grammar, Lines, read_grammar
from loaders.erros import EntradaInvalida
from loaders.fonte import Fonte
from loaders.kinds import identify
from loaders.number_text import COMMA, NONE, POINT, Notation, Shapes
from loaders.registro import PARCIAL
from loaders.safra import Safra, ler_data

_NUMERO_OU_DATA = re.compile(r"[-\d.,]{1,8}$|\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|\d{1,2}[A-Za-z]{3}\d{4}")
"""No longer than a DIST or a DATA_BASE: a CPF is a number too."""
_SO_PJ = "somente pessoas jurídicas (arquivo _pj)"
_MALFORMED_SHARE = 0.1
"""Of the records: with more of them misshapen the file is not what it says (as in regras.py)."""
_MONTH = re.compile(r"(.+)_(?:0[1-9]|1[0-2])")
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
        lost: (DIST, DATA_BASE) of which no safra can be made → why.
        largest: of the safras to land that with most records: it keeps rejected rows of none.
        cut: the last record stops in its last value.
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
    lost: dict[tuple[str, str], str]
    largest: Safra
    cut: bool

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name

    def owner(self, dist: str) -> Safra | None:
        """The safra that keeps a rejected record: the file's one, or its distributor's only one.

        The largest where it may be of several; None where it is of one that is not to land.
        """
        found = self._possible(dist)
        if len(found) != 1:
            return self.largest
        return found[0] if found[0] in self.safras.values() else None

    def why(self, dist: str, reason: str) -> str:
        """The reason of a rejected record; says so where its safra is not known."""
        if len(self._possible(dist)) == 1:
            return reason
        return f"{reason}; de safra desconhecida, guardada com a maior do arquivo"

    def _possible(self, dist: str) -> list[Safra]:
        of_file = list({safra.chave: safra for safra in self.every.values()}.values())
        code = inteiro(dist)
        return of_file if len(of_file) == 1 else [s for s in of_file if s.distribuidora_id == code]


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
    if cut := census.unended and _stops_in_a_value(caminho, grammar):
        census.reject_last()
    every, lost = _safras(census, caminho.name, dated=date is not None, asked=safra)
    _refuse_many_lost(census, lost, columns, caminho.name)
    wanted = {key: s for key, s in every.items() if safra is None or s.chave == safra.chave}
    if not wanted:
        raise EntradaInvalida(f"{caminho.name}: nenhuma linha da safra {safra and safra.chave}")
    notations = _notations(census, matched, caminho.name, milhar)
    if milhar != NONE:
        _refuse_another_notation(census, wanted, notations, caminho.name)
    largest = max(sorted(set(wanted.values())), key=_sizes(census, wanted).__getitem__)
    yield _fonte(
        _File(
            path=caminho,
            grammar=grammar,
            columns=columns,
            dist=dist,
            date=date,
            matched=matched,
            notations=notations,
            safras=wanted,
            every=every,
            lost=lost,
            largest=largest,
            cut=cut,
        ),
        census,
    )


def _sizes(census: Census, safras: dict[tuple[str, str], Safra]) -> Counter[Safra]:
    """Records of each safra."""
    sizes: Counter[Safra] = Counter()
    for key, safra in safras.items():
        sizes[safra] += census.keys[key]
    return sizes


def _stops_in_a_value(caminho: Path, grammar: Grammar) -> bool:
    with _fluxo(caminho) as fluxo:
        return csv_census.last_value_cut(fluxo, grammar, caminho.name)


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
) -> tuple[dict[tuple[str, str], Safra], dict[tuple[str, str], str]]:
    """Key as written → safra, one per distributor and year, with its latest base date.

    Then the keys of which none can be made, each with the reason.
    """
    if not dated and asked is None:
        raise EntradaInvalida(f"{nome}: sem coluna DATA_BASE; informe --safra, como 401-2024")
    lidas: dict[tuple[str, str], Safra] = {}
    lost: dict[tuple[str, str], str] = {}
    for dist, texto in census.keys:
        codigo = inteiro(dist)
        data_base = ler_data(texto) if dated else asked and asked.data_base
        if codigo is None or data_base is None:
            column, cell = ("DIST", dist) if codigo is None else ("DATA_BASE", texto)
            lost[dist, texto] = f"{column} {'ilegível' if cell.strip() else 'em branco'}"
            continue
        try:
            lidas[dist, texto] = Safra.de_data(codigo, data_base)
        except EntradaInvalida as erro:
            lost[dist, texto] = str(erro)
    ultimas = {safra: safra for safra in sorted(lidas.values(), key=lambda s: s.data_base)}
    unicas = {safra.chave: safra for safra in ultimas.values()}
    return {chave: unicas[safra.chave] for chave, safra in lidas.items()}, lost


def _refuse_many_lost(
    census: Census, lost: dict[tuple[str, str], str], columns: tuple[str, ...], nome: str
) -> None:
    """Rows of no safra are rejected one by one while they are few.

    Raises:
        EntradaInvalida: they are many, or one is a header of other columns than the first.
    """
    names = {column.casefold() for column in columns}
    if any(dist.strip().casefold() in names for dist, _ in lost):
        raise EntradaInvalida(
            f"{nome}: no meio do arquivo há outro cabeçalho, de outras colunas; separe os arquivos"
            " que foram juntados e carregue cada um"
        )
    count = sum(census.keys[key] for key in lost)
    if count > _MALFORMED_SHARE * census.records:
        dist, date = key = max(lost, key=lambda key: census.keys[key])
        said = f"({_sem_texto(dist)}, {_sem_texto(date)})"
        raise EntradaInvalida(
            f"{nome}: {count} de {census.records} linhas com DIST ou DATA_BASE ilegível {said}:"
            f" {lost[key]}; corrija o arquivo"
        )


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
        if said is None and _told_by_its_series(column, census.shapes):
            said = NONE
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


def _told_by_its_series(column: str, shapes: dict[str, Shapes]) -> bool:
    """Whether a month whose only value could be read in two ways stands among months with decimals.

    Two values that both happen to end in three digits are no chance any more: these stay in doubt.
    """
    values = shapes[column].doubtful(None)
    if len(values) != 1 or not (series := _MONTH.fullmatch(column)):
        return False
    mark = "." if "." in values[0] else ","
    months = [
        of_month
        for name, of_month in shapes.items()
        if name != column and (found := _MONTH.fullmatch(name)) and found[1] == series[1]
    ]
    return any(month.settled(mark) for month in months) and not any(
        month.seen.keys() & {"brazilian", "english"} for month in months
    )


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
    sizes = _sizes(census, file.safras)
    rejected = [(dist, census.keys[dist, date]) for dist, date in file.lost]
    for dist, count in [*census.malformed.items(), *rejected]:
        if safra := file.owner(dist):
            sizes[safra] += count
    avisos = [_SO_PJ]
    if len(file.safras) < len(file.every):
        avisos.append(PARCIAL)
    if file.matched.desconhecidas:
        names = ", ".join(name for name in file.matched.desconhecidas if not name.startswith("#"))
        avisos += [f"colunas não carregadas: {names}"] if names else []
    avisos += file.matched.months_missing
    if file.grammar.hinted:
        avisos.append(f"a linha sep={file.grammar.separator} do Excel diz o separador, não é linha")
    if file.cut:
        avisos.append(
            "o arquivo acaba sem fim de linha e o último valor é mais curto que todos os outros da"
            f" coluna {file.columns[-1]}: a última linha foi rejeitada; baixe o arquivo de novo ou,"
            " se está inteiro, acrescente o fim de linha"
        )
    elif census.unended:
        avisos.append(
            "o arquivo acaba sem fim de linha: se veio cortado, o último valor da última linha"
            f" ({file.columns[-1]}) está incompleto"
        )
    observacoes = {camada.nome: tuple(avisos)}

    def lotes(_: Camada) -> Iterator[Lote]:
        with _fluxo(file.path) as fluxo:
            lines = Lines(fluxo, file.grammar, file.name, cut=file.cut)  # type: ignore[arg-type]
            yield from _lotes(file, lines)
        observacoes[camada.nome] += tuple(_notes(lines))

    return Fonte(
        safras=tuple(sorted(set(file.safras.values()))),
        camadas=(camada,),
        linhas={(safra, camada.nome): count for safra, count in sizes.items()},
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
            lost = list(_lost(file, lote, chaves, numeros))
            pedidas = pc.is_in(chaves, pa.array(presentes, pa.string()))
            chaves, numeros = chaves.filter(pedidas), numeros.filter(pedidas)
            dados = converter(
                lote.filter(pedidas), file.matched, arquivo=file.name, notacoes=file.notations
            )
            for safra in dict.fromkeys(safras[chave] for chave in presentes):
                dela = pa.array([chave for chave in presentes if safras[chave] == safra])
                mascara = pc.is_in(chaves, dela)
                yield Lote(safra, dados.filter(mascara), numeros.filter(mascara))
            yield from _rejected(file, lost, dados.slice(0, 0))
    except pa.ArrowInvalid as erro:
        raise EntradaInvalida(
            f"{file.name}: CSV malformado ({_sem_valores(erro)}); baixe o arquivo de novo"
        ) from None
    dist = file.columns.index(file.dist)
    misshapen = (
        ("".join(record.cells[dist : dist + 1]), number, record.reason, {"texto": record.text})
        for number, record in lines.malformed
    )
    yield from _rejected(file, misshapen, dados.slice(0, 0))


def _sem_valores(erro: pa.ArrowInvalid) -> str:
    """Arrow's reason without the row that it quotes."""
    return str(erro).partition(": ")[2].partition(": ")[0] or "estrutura"


_Refused = tuple[str, int, str, dict[str, str]]
"""A rejected row: its DIST as written, its number, the reason, what it holds."""


def _lost(
    file: _File, lote: pa.RecordBatch, chaves: pa.Array, numeros: pa.Array
) -> Iterator[_Refused]:
    """The rows of no safra, by the raw layer's names."""
    reasons = {"|".join(key): why for key, why in file.lost.items()}
    which = pc.is_in(chaves, pa.array(list(reasons), pa.string()))
    found = zip(
        numeros.filter(which).to_pylist(),
        chaves.filter(which).to_pylist(),
        lote.filter(which).to_pylist(),
        strict=True,
    )
    for number, key, row in found:
        held = {raw: row[source] for raw, source in file.matched.fontes.items()}
        yield row[file.dist], number, reasons[key], held


def _rejected(file: _File, refused: Iterable[_Refused], none: pa.RecordBatch) -> Iterator[Lote]:
    """Batches without rows that carry the rejected ones of each safra."""
    rejected: dict[Safra, list[Rejeitado]] = {}
    for dist, number, reason, held in refused:
        if safra := file.owner(dist):
            why = file.why(dist, reason)
            rejected.setdefault(safra, []).append(Rejeitado(number, why, held))
    for safra, rows in rejected.items():
        yield Lote(safra, none, pa.array([], pa.int64()), tuple(rows))
