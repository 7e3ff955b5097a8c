"""A wrong call ends in one line of Portuguese. Not here: what commands do."""

import io
import re
import subprocess
import sys

import pytest

from alerts import crm
from loaders import __main__ as command
from loaders import usage
from loaders.errors import DatabaseFailure, HeldDelivery, InvalidInput, LoadError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bogus"], "a opção --bogus não existe"),
        (["bdgd", "--milhares", "x"], "a opção --milhares não existe"),
        (["nada"], "o comando nada não existe"),
        (["bdgd"], "falta CAMINHO..."),
        (["bdgd", "/nada/x.gdb"], "/nada/x.gdb não existe"),
        (["bdgd", "/tmp", "--milhar", "x"], "--milhar: 'x' não é um de 'ponto', 'virgula', 'nao'"),
        (["bdgd", "--esperar=3", "/tmp"], "a opção --esperar não leva valor"),
        (["bdgd", "/tmp", "--safra", "2024-401x"], "--safra: '2024-401x' não é uma safra: escreva"),
        (
            ["bdgd", "/tmp", "--sem-camada", "X"],
            "--sem-camada: 'X' não é uma camada que se carrega: UCAT,",
        ),
        (["status", "-n"], "a opção -n pede um valor"),
        (["status", "-n", "x"], "-n: deve ser um número inteiro"),
        (["liberar", "401-2024"], "falta a opção --motivo"),
        (["remover", "401-2024", "y", "--motivo", "z"], "sobra y"),
        (["remover", "401-2024"], "--motivo: escreva por que a safra sai"),
        (
            ["aicss", "/tmp", "--inicio", "2025-02-30"],
            "--inicio: '2025-02-30': data que não existe",
        ),
        (["aicss", "/nada"], "/nada: não existe"),
        (["catalogo", "mux"], "'mux': escreva uma distribuidora (401), uma safra (401-2024)"),
        (["buscar", "401-24"], "'401-24': escreva uma distribuidora"),
        (["buscar"], "diga quais (401-2024, TODAS), ou --seguidas"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        usage.run(command.app, arguments)
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("erro: ") and said in shown.err and shown.err.endswith("--help\n")


def test_no_argument_is_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        usage.run(command.app, [])
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert "remover" in shown.out + shown.err


@pytest.mark.parametrize(
    "module", ["loaders", "server.backup", "server.roles", "dagster_pipeline.run"]
)
def test_every_command_says_it_so(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--bogus"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"erro: a opção --bogus não existe; o uso certo: .venv/bin/python -m {module} --help\n"
    )


def test_a_script_is_told_what_happened_by_the_exit_code() -> None:
    codes = [e.code for e in (LoadError, InvalidInput, HeldDelivery, DatabaseFailure)]
    assert codes == [1, 3, 3, 4]


def test_a_commands_help_is_portuguese_to_the_last_word() -> None:
    for words in ("loaders --help", "loaders bdgd --help", "alerts crm --help"):
        done = subprocess.run(
            [sys.executable, "-m", *words.split()], capture_output=True, text=True, check=True
        )
        assert "Uso: .venv/bin/python -m" in done.stdout
        assert "Mostra esta ajuda." in done.stdout
        assert not re.findall(
            r"Usage|Options|Arguments|Commands|required|default|Show|COMMAND|ARGS", done.stdout
        )


def test_ctrl_c_is_said_and_ends_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    app = usage.App()

    @app.command()
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        usage.run(app, [])
    assert ended.value.code == 130
    assert "interrompido" in capsys.readouterr().err


def test_leads_for_excel_open_in_brazils() -> None:
    written = io.StringIO(newline="")
    crm.write(["uc", "score"], [{"uc": "ação; x", "score": 71.5}], written, "excel")
    assert written.getvalue() == '\ufeffuc;score\r\n"ação; x";71,5\r\n'
