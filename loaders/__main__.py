"""The loaders' command line: ``python -m loaders``.

Belongs here: commands, options, exit codes. Not here: any work.
"""

import logging
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from loaders import usage
from loaders.erros import ErroDeCarga, FalhaDeBanco
from loaders.safra import Safra

_DE_OUTROS_MODULOS = {"aicss": "loaders.aicss", "sintetico": "loaders.sintetico"}
"""Commands imported when they are called: one's libraries cost the other a second."""


SITUACOES = {"completed": "feita", "failed": "falhou", "running": "agora", "pending": "espera"}
"""``import_status.status`` in a person's word."""


class _Grupo(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer keeps its own click
        return [*super().list_commands(ctx), *_DE_OUTROS_MODULOS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name not in _DE_OUTROS_MODULOS:
            return super().get_command(ctx, cmd_name)
        so_dele = typer.Typer(add_completion=False)
        modulo = import_module(_DE_OUTROS_MODULOS[cmd_name])
        so_dele.command(cmd_name, help=modulo.AJUDA)(modulo.comando)
        return typer.main.get_command(so_dele)


app = typer.Typer(
    cls=_Grupo, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback(
    help="Aterrissa arquivos no esquema raw. Saída: 0 feito, 2 uso, 3 arquivo ruim ou safra retida,"
    " 4 banco."
)
def principal() -> None:
    """Land source files in schema raw. Exit: 0 done, 2 usage, 3 bad or held, 4 database."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("pyogrio").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@app.command(help="Cria os esquemas, tipos e tabelas que faltam no banco.")
def init() -> None:
    """Create schemas, enums, ledger and raw tables where they are missing."""
    from loaders import aicss
    from loaders.conexao import conectar, preparar

    def criar() -> None:
        with conectar() as conn:
            preparar(conn, forcar=True)
            aicss.preparar(conn)
            logging.info("esquema pronto em %s", conn.info.dbname)

    raise typer.Exit(_codigo_de_saida([criar]))


def _ler_safra(texto: str) -> Safra:
    try:
        return Safra.de_chave(texto)
    except (ValueError, ErroDeCarga) as erro:
        raise typer.BadParameter(str(erro)) from erro


def _conferir_que_existem(caminhos: list[Path]) -> list[Path]:
    """A typing mistake is a wrong use; a path without rights is a bad input, told later."""
    for caminho in caminhos:
        try:
            caminho.stat()
        except FileNotFoundError as erro:
            raise typer.BadParameter(f"{caminho} não existe") from erro
        except PermissionError:
            continue
    return caminhos


class Milhar(StrEnum):
    """Values of ``--milhar`` (loaders/number_text.py)."""

    ponto = "ponto"
    virgula = "virgula"
    nao = "nao"


@app.command(
    help="Aterrissa arquivos da BDGD; cada um por inteiro ou nada, e um ruim não detém os outros."
)
def bdgd(
    caminhos: Annotated[
        list[Path],
        typer.Argument(
            callback=_conferir_que_existem,
            metavar="CAMINHO...",
            help=".gdb, o zip dele, u??t_pj.csv/.zip, ou uma pasta com eles dentro ou abaixo.",
        ),
    ],
    *,
    safra: Annotated[
        Safra | None,
        typer.Option(
            parser=_ler_safra,
            metavar="401-2024",
            help="A safra de um arquivo sem BASE; de um CSV, a única a aterrissar.",
        ),
    ] = None,
    esperar: Annotated[
        bool, typer.Option("--esperar", help="Espera outra carga da mesma safra.")
    ] = False,
    substituir: Annotated[
        bool,
        typer.Option(
            "--substituir",
            help="Deixa um CSV (só pessoas jurídicas) tomar o lugar da camada de um .gdb.",
        ),
    ] = False,
    forcar: Annotated[
        bool, typer.Option("--forcar", help="Aterrissa de novo o que já está carregado.")
    ] = False,
    milhar: Annotated[
        Milhar | None,
        typer.Option(
            help="O que separa milhares onde a coluna de um CSV não diz: 12.345 é doze mil"
            " (ponto), 12,345 é (virgula), nenhum (nao)."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que aterrissaria; não toca no banco.")
    ] = False,
) -> None:
    """Land BDGD files; each is all or nothing, and the next is tried when one fails."""
    from loaders.bdgd import Opcoes, passos

    opcoes = Opcoes(
        safra=safra,
        esperar=esperar,
        substituir=substituir,
        forcar=forcar,
        milhar=milhar and milhar.value,
        progresso=_barra,
    )
    todos = [passo for caminho in caminhos for passo in passos(caminho, opcoes, simular=dry_run)]
    raise typer.Exit(_codigo_de_saida(todos))


@app.command(help="Mostra por que uma safra está retida e a aceita como está, com o motivo.")
def liberar(
    safra: Annotated[Safra, typer.Argument(parser=_ler_safra, metavar="401-2025")],
    *,
    motivo: Annotated[
        str, typer.Option(help="Por que ela está certa assim; fica guardado com o seu nome.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Só mostra os achados que seriam liberados.")
    ] = False,
) -> None:
    """Accept a safra that the gate holds, for the findings that are shown and no others."""
    from loaders import registro
    from loaders.conexao import conectar, preparar
    from loaders.erros import EntradaInvalida
    from loaders.gate import hold, verdict

    if not motivo.strip():
        raise typer.BadParameter("escreva por que a safra está certa assim", param_hint="--motivo")

    def aceitar() -> None:
        with conectar() as conn:
            preparar(conn)
            registro.travar(conn, [safra], esperar=False)
            if not hold.held_for(conn, safra):
                raise EntradaInvalida(f"safra {safra.chave}: não está retida, nada a liberar")
            # The whole gate first: what is released is all that speaks against the safra.
            verdict.judge(conn, safra.chave)
            for finding in hold.held_for(conn, safra):
                typer.echo(f"{finding.id}  {finding.text}")
            if not dry_run and hold.held_for(conn, safra):
                hold.release(conn, safra, motivo.strip())

    raise typer.Exit(_codigo_de_saida([aceitar]))


@app.command(help="Passa safras que aterrissaram pelo portão inteiro e mostra os achados.")
def julgar(
    safras: Annotated[
        list[Safra] | None,
        typer.Argument(
            parser=_ler_safra, metavar="401-2024...", help="Sem nenhuma: todas as pendentes."
        ),
    ] = None,
) -> None:
    """Judge landed safras. Exit: 0 free to be built, 3 held or not landed, 4 database."""
    from loaders.conexao import conectar, preparar
    from loaders.gate import report, verdict

    def pendentes() -> None:
        with conectar() as conn:
            preparar(conn)
            report.show_all(verdict.judge_pending(conn))

    def uma(safra: Safra) -> None:
        with conectar() as conn:
            preparar(conn)
            report.show_all([verdict.judge(conn, safra.chave)])

    todas = [partial(uma, safra) for safra in safras or []] or [pendentes]
    raise typer.Exit(_codigo_de_saida(todas))


@app.command(
    help="Tira uma safra de tudo o que os leitores veem; o registro fica, e o arquivo pode voltar."
)
def remover(
    safra: Annotated[Safra, typer.Argument(parser=_ler_safra, metavar="401-2024")],
    *,
    motivo: Annotated[
        str,
        typer.Option(help="Por que ela sai; fica guardado com o seu nome em controle.auditoria."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que sairia; não muda nada.")
    ] = False,
) -> None:
    """Take a safra out of all that readers see; the ledger stays, its file can land again."""
    from loaders import registro, removal
    from loaders.conexao import conectar, preparar

    if not dry_run and not motivo.strip():
        raise typer.BadParameter("escreva por que a safra sai", param_hint="--motivo")

    def tirar() -> None:
        with conectar() as conn:
            preparar(conn)
            if dry_run:
                typer.echo(f"sairia {removal.content(conn, safra)}; nada mudou")
                return
            registro.travar(conn, [safra], esperar=False)
            registro.interromper_abandonados(conn, [safra])
            logging.warning("removida %s", removal.remove(conn, safra, motivo.strip()))

    raise typer.Exit(_codigo_de_saida([tirar]))


@app.command(help="Mostra as últimas execuções do registro de importações.")
def status(
    quantas: Annotated[int, typer.Option("-n", help="Quantas execuções.")] = 20,
) -> None:
    """Show the latest executions of the import ledger."""
    from rich.console import Console
    from rich.table import Table

    from loaders.conexao import conectar, preparar
    from loaders.registro import ultimas_execucoes

    def mostrar() -> None:
        with conectar() as conn:
            preparar(conn)
            tabela = Table(box=None, pad_edge=False)
            for titulo in ("id", "safra", "camada", "situação", "linhas", "rej.", "início"):
                tabela.add_column(titulo, no_wrap=True)
            tabela.add_column("arquivo; nota", ratio=1, overflow="fold")
            for (
                id_,
                safra,
                camada,
                situacao,
                linhas,
                rej,
                inicio,
                arquivo,
                nota,
            ) in ultimas_execucoes(conn, quantas):
                quando = inicio.astimezone().strftime("%d/%m %H:%M")
                contagens = [SITUACOES.get(situacao, situacao), str(linhas), str(rej), quando]
                texto = f"{arquivo}; {nota}" if nota else arquivo
                tabela.add_row(str(id_), safra, camada or "", *contagens, texto)
            Console(width=max(80, shutil.get_terminal_size((80, 24)).columns)).print(tabela)

    raise typer.Exit(_codigo_de_saida([mostrar]))


@contextmanager
def _barra(camada: str, linhas: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progresso:
        tarefa = progresso.add_task(camada, total=linhas)
        yield lambda passo: progresso.advance(tarefa, passo)


def _codigo_de_saida(acoes: Iterable[Callable[[], object]]) -> int:
    """Run every step; the greatest exit code of those that failed."""
    import psycopg

    from loaders.conexao import lost

    codigo = 0
    for acao in acoes:
        try:
            acao()
        except ErroDeCarga as erro:
            logging.error("%s", erro)
            codigo = max(codigo, erro.codigo)
        except psycopg.OperationalError as erro:
            logging.error("%s", lost(erro))
            codigo = max(codigo, FalhaDeBanco.codigo)
    return codigo


if __name__ == "__main__":
    usage.run(app)
