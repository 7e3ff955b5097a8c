"""What a command says of itself, and to a person who called it wrongly: Portuguese, exit code 2.

Belongs here: typer applications and running one, the words of its help and usage errors, options'
values that several commands take. Not here: any command.
"""

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from loaders.bdgd.layers import said_name
from loaders.errors import InvalidInput

if TYPE_CHECKING:
    from loaders.catalogue.wanted import Wanted

INTERRUPTED = 130

_WORDS = (
    (r"No such option:? '?(-[^\s']*).*?(?:Did you mean (.+?)\?)?$", r"a opção \1 não existe"),
    (r"No such command '(.*)'\..*", r"o comando \1 não existe"),
    (r"Missing argument '(.*)'\.?.*", r"falta \1"),
    (r"Missing option '(.*)'\.?.*", r"falta a opção \1"),
    (r"Missing command\.", "falta o comando"),
    (r"Option '(.*)' requires an argument\.", r"a opção \1 pede um valor"),
    (r"Option '(.*)' does not take a value\.", r"a opção \1 não leva valor"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", r"sobra \1"),
    (r"(?:Value error, )?('.*') is not one of (.*?)\.?", r"\1 não é um de \2"),
    (r"Input should be a valid integer.*", "deve ser um número inteiro"),
    (r"Input should be a valid number.*", "deve ser um número"),
    (r"(?:File|Directory|Path) '(.*)' does not exist\.", r"\1 não existe"),
)
"""What the library says → what we say; what stands nowhere here is ours, or comes in its words."""


_PANELS = {
    "ARGUMENTS_PANEL_TITLE": "Argumentos",
    "OPTIONS_PANEL_TITLE": "Opções",
    "COMMANDS_PANEL_TITLE": "Comandos",
    "DEFAULT_STRING": "[sem ela: {}]",
    "REQUIRED_LONG_STRING": "[obrigatório]",
}


class _Portuguese:
    """The words of a command's help that are the library's."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - typer's own
        """As the library's, in other words."""
        super().__init__(*arguments, **named)
        self.options_metavar = "[OPÇÕES]"
        self.subcommand_metavar = "COMANDO [ARGUMENTOS]..."

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401
        """As the library's, in other words."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option:
            option.help = "Mostra esta ajuda."
        return option

    def format_usage(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """As the library's, in other words."""
        pieces = self.collect_usage_pieces(ctx)  # type: ignore[attr-defined]
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix="Uso: ")

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """As the library's, in other words."""
        from typer import rich_utils

        vars(rich_utils).update(_PANELS)
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Portuguese, TyperCommand):
    """A command whose help is Portuguese."""


class Group(_Portuguese, TyperGroup):
    """Commands whose help is Portuguese."""


class App(typer.Typer):
    """An application of such commands; no completion, no framed tracebacks."""

    def __init__(self, **named: Any) -> None:  # noqa: ANN401
        """As typer's."""
        quiet = {"add_completion": False, "pretty_exceptions_enable": False}
        super().__init__(**{"cls": Group} | quiet | named)

    def command(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        """As typer's."""
        return super().command(*arguments, **{"cls": Command} | named)


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process, with the command's exit code."""
    try:
        code = get_command(app).main(arguments, prog_name=_name(), standalone_mode=False)
    except typer.TyperException as error:
        code = error.exit_code
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error}\n")
        else:
            sys.stderr.write(f"erro: {said(error)}\n")
    except typer.Abort:
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("interrompido: nada ficou pela metade; o mesmo comando continua\n")
    sys.exit(code if isinstance(code, int) else 0)


def read_layer(text: str) -> str:
    """A layer's name as an option says it (``ucbt_tab`` is ``UCBT``)."""
    try:
        return said_name(text)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from error


def read_vintages(words: Sequence[str]) -> "Wanted":
    """What several commands take as vintages: ``401``, ``401-2024``, ``ucmt_pj``, ``TODAS``."""
    from loaders.catalogue import wanted

    try:
        return wanted.read(words)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from None


Without = Annotated[
    list[str] | None,
    typer.Option(
        "--sem-camada",
        parser=read_layer,
        metavar="UCBT",
        help="Você sabe que esta cópia da geodatabase não tem os dados da camada: carrega o"
        " resto, e o que depende dela fica sem dados. Pode repetir-se.",
    ),
]
"""The option of every command that lands geodatabases."""


def said(error: typer.TyperException) -> str:
    """A usage error: what is wrong, in which option, and where the right use stands."""
    problem: Any = error
    context = getattr(problem, "ctx", None)
    missing = type(error).__name__ == "MissingParameter"
    text = " ".join((problem.format_message() if missing else str(problem)).split())
    for pattern, ours in _WORDS:
        if found := re.fullmatch(pattern, text):
            text = found.expand(ours)
            break
    if isinstance(error, typer.BadParameter) and not missing:
        option = problem.param and problem.param.param_type_name == "option"
        where = problem.param_hint or (option and problem.param.get_error_hint())
        text = f"{str(where).strip(chr(39))}: {text}" if where else text
    return f"{text}; o uso certo: {context.command_path if context else _name()} --help"


def _name() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name.removesuffix(".__main__") if spec else ""
    return f".venv/bin/python -m {name}" if name else sys.argv[0]
