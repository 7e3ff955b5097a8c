"""Landing of AICSS readings in ``raw.aicss_leitura``, a transaction a file.

Belongs here: the landing, its ledger, the command. Not here: what a reading looks like
(leitura_aicss.py); states and energy (dbt's). A serial, MQTT or HTTP listener, when it comes,
gets a module of its own and calls ``pousar``.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Annotated, BinaryIO

import psycopg
import typer
from psycopg import sql
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.progress import wrap_file

from loaders import aicss_text, conexao, removal
from loaders.aicss_clock import Ilegivel, Relogio, horario, meia_noite
from loaders.aicss_text import lines
from loaders.erros import EntradaInvalida, ErroDeCarga, FalhaDeBanco
from loaders.leitura_aicss import (
    EMPATE,
    ESTADOS,
    INCOMPLETA,
    JSON_ILEGIVEL,
    LEITORES,
    NAO_OBJETO,
    NUMEROS,
    OUTSIDE,
    Leitura,
    Origem,
    Registro,
    cabecalho,
    dispositivo_do_nome,
    formato,
    in_a_list,
    leitura,
)

ENTRADA_PADRAO = "-"
EXTENSOES = {".json", ".jsonl", ".ndjson", ".csv", ".txt", ".log"}
LINHAS_DE_AMOSTRA = 200

_COLUNAS = ", ".join(c.name for c in fields(Leitura)) + ", arquivo, linha, recebido_em"
_MEDIDAS = ", ".join(f"{{0}}.{c}" for c in (*NUMEROS, *ESTADOS))

SEPARA_EMPATES = f"""
    with empatada as (
        select dispositivo_id, medido_em
        from aicss_chegada
        where motivo is null
        group by dispositivo_id, medido_em
        having count(*) > 1
    ),

    distinta as (
        select dispositivo_id, medido_em, {_MEDIDAS.format("c")}, min(ordem) as ordem
        from aicss_chegada as c inner join empatada using (dispositivo_id, medido_em)
        where motivo is null
        group by dispositivo_id, medido_em, {_MEDIDAS.format("c")}
    ),

    posta as (
        select *, row_number() over (partition by dispositivo_id, medido_em order by ordem) - 1 as n
        from distinta
    )

    update aicss_chegada as c
    set
        medido_em = c.medido_em + posta.n * interval '1 microsecond',
        ressalva_horario = coalesce(c.ressalva_horario, '{EMPATE}')
    from posta
    where
        c.motivo is null
        and posta.n > 0
        and c.dispositivo_id = posta.dispositivo_id
        and c.medido_em = posta.medido_em
        and ({_MEDIDAS.format("c")}) is not distinct from ({_MEDIDAS.format("posta")})
"""
INSERE_LEITURAS = f"""
    with nova as (
        insert into raw.aicss_leitura ({_COLUNAS})
        select distinct on (dispositivo_id, medido_em) {_COLUNAS}
        from aicss_chegada
        where motivo is null
        order by dispositivo_id, medido_em, ordem
        on conflict (dispositivo_id, medido_em) do nothing
        returning fora_da_faixa, ressalva_horario
    )

    select
        count(*),
        count(*) filter (where fora_da_faixa <> '{{}}'),
        count(ressalva_horario)
    from nova
"""
CONTA_PRESENTES = """
    select count(*)
    from aicss_chegada as c
    inner join raw.aicss_leitura as l using (dispositivo_id, medido_em)
    where c.motivo is null
"""
MARCA_CONFLITOS = f"""
    update aicss_chegada as c
    set
        motivo = 'conflito',
        registro = jsonb_strip_nulls(to_jsonb(c) - '{{ordem,arquivo,linha,recebido_em}}'::text[])
    from raw.aicss_leitura as l
    where
        c.motivo is null
        and l.dispositivo_id = c.dispositivo_id
        and l.medido_em = c.medido_em
        and ({_MEDIDAS.format("l")}) is distinct from ({_MEDIDAS.format("c")})
"""
INSERE_REJEITADOS = """
    insert into raw.rejeitado (origem, arquivo, linha, motivo, registro)
    select 'aicss', c.arquivo, c.linha, c.motivo, c.registro
    from aicss_chegada as c
    where
        c.motivo is not null
        and not exists (
            select from raw.rejeitado as r
            where
                r.ano is null
                and r.distribuidora_id is null
                and r.origem = 'aicss'
                and r.arquivo = c.arquivo
                and r.linha = c.linha
                and r.registro = c.registro
        )
"""

JA_CARREGADO = """
    select from controle.aicss_arquivo
    where
        sha256 = %s
        and arquivo = %s
        and dispositivo is not distinct from %s
        and inicio is not distinct from %s::timestamptz
"""
REGISTRA = """
    insert into controle.aicss_arquivo (
        sha256, arquivo, dispositivo, inicio, formato, recebido_em,
        registros, leituras, repetidas, conflitos, ilegiveis, fora_da_faixa, ressalvas, ruido
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Resultado:
    """What became of a file's records; registros = leituras + repetidas + conflitos + ilegiveis.

    ressalvas: readings landed with a ``ressalva_horario``; ruido: bytes of noise taken out.
    """

    registros: int = 0
    leituras: int = 0
    repetidas: int = 0
    conflitos: int = 0
    ilegiveis: int = 0
    fora_da_faixa: int = 0
    ressalvas: int = 0
    ruido: int = 0
    ja_carregado: bool = False

    @property
    def contas(self) -> tuple[int, ...]:
        """The counts in the order of ``CONTAS``."""
        return tuple(getattr(self, c) for c in CONTAS)


CONTAS = tuple(c.name for c in fields(Resultado) if c.type is int)


def preparar(con: psycopg.Connection) -> None:
    """Create this source's tables where they are missing; conexao.preparar must have run."""
    ddl = resources.files("loaders").joinpath("aicss.sql").read_text(encoding="utf-8")
    versao = f"esquema {hashlib.md5(ddl.encode(), usedforsecurity=False).hexdigest()}"
    # No DDL when nothing changed: role intel_api lands readings, and may not create tables.
    feita = con.execute(
        "select obj_description(to_regclass('controle.aicss_arquivo'), 'pg_class')"
    ).fetchone()
    if feita == (versao,):
        return
    with con.transaction():
        con.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
        con.execute(ddl)
        con.execute(sql.SQL("comment on table controle.aicss_arquivo is {}").format(versao))


def pousar(
    con: psycopg.Connection, registros: Iterable[Registro], *, arquivo: str, origem: Origem
) -> Resultado:
    """Land records in the open transaction and count what became of them.

    Raises:
        EntradaInvalida: not one record is a reading; the caller rolls back.
    """
    con.execute(
        "create temp table aicss_chegada on commit drop as"
        " select *, 0::bigint as ordem, ''::text as motivo, '{}'::jsonb as registro"
        " from raw.aicss_leitura with no data"
    )
    motivos: Counter[str] = Counter()
    total, relogio = 0, Relogio()
    copia = f"copy aicss_chegada ({_COLUNAS}, ordem, motivo, registro) from stdin"
    with con.cursor().copy(copia) as saida:
        for ordem, registro in enumerate(registros):
            valores, motivo = _linha(registro, ordem, origem, relogio)
            motivos[motivo] += motivo is not None
            texto = None if motivo is None else Jsonb({"texto": registro.texto.strip()[:2000]})
            saida.write_row(
                (*valores, arquivo, registro.linha, origem.recebido_em, ordem, motivo, texto)
            )
            total += 1
    ilegiveis = sum(motivos.values())
    if ilegiveis == total:
        porque = f" ({motivos.most_common(1)[0][0]})" if total else ""
        raise EntradaInvalida(f"{arquivo}: nenhum dos {total} registros é uma leitura{porque}")
    # Held until commit, so that leitura_id grows in commit order: dbt reads on from the greatest.
    con.execute("select pg_advisory_xact_lock(hashtext('raw.aicss_leitura'))")
    con.execute(SEPARA_EMPATES)
    leituras, fora, ressalvas = con.execute(INSERE_LEITURAS).fetchone()
    conflitos = con.execute(MARCA_CONFLITOS).rowcount
    (presentes,) = con.execute(CONTA_PRESENTES).fetchone()
    con.execute(INSERE_REJEITADOS)
    con.execute(
        "insert into raw.aicss_dispositivo"
        " select distinct dispositivo_id, recebido_em from aicss_chegada"
        " where dispositivo_id is not null on conflict do nothing"
    )
    return Resultado(
        registros=total,
        leituras=leituras,
        repetidas=presentes - leituras,
        conflitos=conflitos,
        ilegiveis=ilegiveis,
        fora_da_faixa=fora,
        ressalvas=ressalvas,
    )


def _linha(
    registro: Registro, ordem: int, origem: Origem, relogio: Relogio
) -> tuple[tuple[object, ...], str | None]:
    """A record's reading as a row of ``_COLUNAS``, or an empty row and the reason."""
    motivo = registro.motivo
    if registro.valores is not None:
        try:
            lida = leitura(registro, ordem, origem, relogio)
        except Ilegivel as erro:
            motivo = str(erro)
        else:
            linha = vars(lida) | {"outros": lida.outros and Jsonb(lida.outros)}
            return tuple(linha.values()), None
    return (None,) * len(fields(Leitura)), motivo


def carregar(
    con: psycopg.Connection,
    arquivo: BinaryIO,
    *,
    nome: str,
    dispositivo: str | None = None,
    padrao: str | None = None,
    inicio: datetime | None = None,
) -> Resultado:
    """Land one seekable file in one transaction; a file already landed changes nothing.

    Args:
        con: connection in autocommit mode, no transaction open.
        arquivo: the bytes; the shape is told by the content.
        nome: what the ledger and the rejected rows call it.
        dispositivo: the device of records that name none.
        padrao: the device when neither record nor ``dispositivo`` says (the file's name).
        inicio: instant of the first record of a file without times.

    Raises:
        EntradaInvalida: nothing in the file is a reading.
    """
    recebido_em = datetime.now(UTC)
    sha256 = hashlib.file_digest(arquivo, "sha256").hexdigest()
    chave = (sha256, nome, dispositivo, inicio)
    amostra = [texto for _, texto in islice(lines(arquivo), LINHAS_DE_AMOSTRA)]
    tipo = formato(amostra)
    if tipo is None:
        raise EntradaInvalida(
            f"{nome}: não é JSON, CSV com cabeçalho conhecido, nem texto serial do AICSS"
        )
    with con.transaction():
        # Standard input has no identity: the same bytes again may be new readings that arrive now.
        if nome != ENTRADA_PADRAO and con.execute(JA_CARREGADO, chave).rowcount:
            return Resultado(ja_carregado=True)
        origem = Origem(dispositivo or padrao, inicio, recebido_em)
        ruido: Counter[str] = Counter()
        lidos = LEITORES[tipo](lines(arquivo, ruido))
        try:
            feito = pousar(con, lidos, arquivo=nome, origem=origem)
        except Ilegivel as erro:  # what is wrong is the file's shape, not one record
            raise EntradaInvalida(f"{nome}: {erro}") from None
        feito = replace(feito, ruido=ruido[aicss_text.NOISE])
        _conferir(con, arquivo, nome, tipo, feito, amostra)
        con.execute(REGISTRA, (*chave, tipo, recebido_em, *feito.contas))
        sample = nome in removal.sample_files()
        example = None if sample else removal.take_example_away(con)
    removal.finish(con, example)
    return feito


def _conferir(
    con: psycopg.Connection,
    arquivo: BinaryIO,
    nome: str,
    tipo: str,
    feito: Resultado,
    amostra: list[str],
) -> None:
    """Compare what became of the records with a count that the parser has no part in.

    Raises:
        EntradaInvalida: they differ; the caller rolls back.
    """
    if tipo == "json":
        # Where an object is broken, where the next one begins is anybody's guess.
        quebrados, outros = con.execute(
            "select count(*) filter (where motivo = any(%s)),"
            " count(*) filter (where motivo = any(%s)) from aicss_chegada",
            [[JSON_ILEGIVEL, INCOMPLETA], [NAO_OBJETO, OUTSIDE]],
        ).fetchone()
        if quebrados:
            return
        within = 1 if in_a_list(amostra) else 0
        no_arquivo = aicss_text.count_objects(arquivo, within=within) + outros
    else:
        topo = cabecalho(amostra) if tipo == "csv" else ""
        no_arquivo = aicss_text.count_lines(arquivo, topo)
    contados = feito.leituras + feito.repetidas + feito.conflitos + feito.ilegiveis
    if no_arquivo != contados:
        raise EntradaInvalida(
            f"{nome}: o arquivo tem {no_arquivo} registros e a leitura deu conta de {contados};"
            " nada mudou: guarde o arquivo e relate o defeito"
        )


def arquivos(caminhos: Iterable[Path]) -> Iterator[Path]:
    """The files meant by paths; of a folder those whose extension a log can have.

    Raises:
        EntradaInvalida: a folder without such a file, or without rights.
    """
    for caminho in caminhos:
        if not caminho.is_dir():
            yield caminho
            continue
        try:
            dentro = [x for x in sorted(caminho.rglob("*")) if x.suffix.lower() in EXTENSOES]
        except OSError as erro:
            raise EntradaInvalida(
                f"{caminho}: a pasta não pode ser lida ({erro.strerror}); confira os direitos"
            ) from erro
        if not dentro:
            raise EntradaInvalida(f"{caminho}: sem arquivos {' '.join(sorted(EXTENSOES))}")
        yield from dentro


def _abrir(caminho: Path) -> BinaryIO:
    if str(caminho) != ENTRADA_PADRAO:
        return caminho.open("rb")
    # On disk, not in memory: the input is read twice, for its shape and for its readings.
    copia = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _carregar_caminho
    shutil.copyfileobj(sys.stdin.buffer, copia)
    copia.seek(0)
    return copia


def _com_barra(arquivo: BinaryIO, nome: str) -> AbstractContextManager[BinaryIO]:
    """The file, with a progress bar when a person watches."""
    if not sys.stderr.isatty():
        return nullcontext(arquivo)
    tamanho = os.fstat(arquivo.fileno()).st_size
    painel = Console(stderr=True)
    return wrap_file(arquivo, tamanho, description=nome, console=painel, transient=True)


def _carregar_caminho(
    con: psycopg.Connection,
    caminho: Path,
    *,
    dispositivo: str | None,
    inicio: datetime | None,
) -> str:
    """Land one path and say in a line what came of it."""
    nome, comeco = str(caminho), monotonic()
    padrao = None if nome == ENTRADA_PADRAO else dispositivo_do_nome(caminho)
    try:
        with _abrir(caminho) as bruto, _com_barra(bruto, nome) as arquivo:
            feito = carregar(
                con, arquivo, nome=nome, dispositivo=dispositivo, padrao=padrao, inicio=inicio
            )
    except OSError as erro:
        raise EntradaInvalida(
            f"{nome}: não pode ser lido ({erro.strerror}); confira o caminho e os direitos"
        ) from erro
    except psycopg.Error as erro:
        dito = " ".join((erro.diag.message_primary or str(erro)).split())
        raise FalhaDeBanco(
            f"{nome}: o PostgreSQL recusou ({dito}); nada mudou, repita quando o banco responder"
        ) from erro
    if feito.ja_carregado:
        return f"{nome}: já carregado, nada mudou"
    contas = ", ".join(f"{n} {campo}" for campo, n in zip(CONTAS, feito.contas, strict=True))
    return f"{nome}: {contas}; {monotonic() - comeco:.1f} s"


AJUDA = "Aterrissa leituras AICSS: JSON, JSON lines, CSV ou o registro serial, pelo conteúdo."


def comando(
    caminhos: Annotated[
        list[Path],
        typer.Argument(metavar="CAMINHO...", help="Arquivos, pastas deles, ou - (entrada padrão)."),
    ],
    *,
    dispositivo: Annotated[
        str | None,
        typer.Option(help="Aparelho das leituras que não o dizem (senão, o nome do arquivo)."),
    ] = None,
    inicio: Annotated[
        str | None,
        typer.Option(
            help="Horário ISO da primeira linha de um registro sem horários, um segundo cada; só a"
            " data é a meia-noite dela em São Paulo."
        ),
    ] = None,
) -> None:
    """Land AICSS readings: JSON, JSON lines, CSV or the serial text log, told by content."""
    try:
        comeco = (meia_noite(inicio) or horario(inicio)) if inicio else None
    except Ilegivel as erro:
        raise typer.BadParameter(
            f"{inicio!r}: {erro}; escreva como 2025-03-01T00:00:00-03:00", param_hint="--inicio"
        ) from erro
    if comeco and meia_noite(inicio or ""):
        typer.echo(f"--inicio sem hora: tomado como {comeco:%d/%m/%Y 00:00:00 (UTC%z)}", err=True)
    for caminho in caminhos:
        if str(caminho) != ENTRADA_PADRAO and not caminho.exists():
            raise typer.BadParameter(f"{caminho}: não existe", param_hint="CAMINHO")
    codigo = 0
    try:
        achados = list(arquivos(caminhos))
        with conexao.conectar() as con:
            conexao.preparar(con)
            preparar(con)
            for caminho in achados:
                try:
                    typer.echo(
                        _carregar_caminho(con, caminho, dispositivo=dispositivo, inicio=comeco)
                    )
                except EntradaInvalida as erro:
                    typer.echo(f"erro: {erro}", err=True)
                    codigo = erro.codigo
    except ErroDeCarga as erro:
        typer.echo(f"erro: {erro}", err=True)
        codigo = erro.codigo
    if codigo:
        raise typer.Exit(codigo)
