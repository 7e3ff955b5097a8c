"""Two languages, each in its place: identifiers English, what a person is told Portuguese.

Belongs here: short lists of words that tell. Not here: names of data, which stay (CONTRIBUTING.md).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
FILES = sorted(
    file
    for room in (
        "loaders",
        "alerts",
        "server",
        "forecasting",
        "learning",
        "reports",
        "exports",
        "dagster_pipeline",
        "scripts",
        "bench",
        "api",
        "bi",
        "tests",
    )
    for file in (CLONE / room).rglob("*.py")
)
_PORTUGUESE = """
abrir acao achado ajuda amostra antes aqui arquivo arquivos avisos banco cabecalho caixa camada
camadas caminho campo campos carga carregar chave chaves codigo coluna colunas comando concluir
conectar conferir construir contagem copiar criar dados defeito depois destino dia dias esperar
escrever esquema erro erros falha falhar feito fim fonte folha folhas forcar gravar hoje inicio
lendo ler linha linhas lista lote lotes maior manter mensagem mes meses motivo motivos nenhum nome
nomes nova novo numero numeros observacoes onde opcoes ordem outra outro pasta passo pedido
pendente preparar primeira primeiro progresso quando quantas quantos receita recusa registro
rejeitado rejeitados remover resultado resumo retida retidas saida segunda semente servidor soma
somas substituir tabela tabelas tamanho tarefa texto textos tipo todas todos travar trocar ultima
ultimo valor valores vazio velho versao
"""
PORTUGUESE = frozenset(_PORTUGUESE.split())
_DATA = """
CAMADA_VAZIA COLUNA_EXTRA TIPO_ERRADO NOMES_MINUSCULOS SEM_CAMADA_PONNOT SEM_CAMADA_UCAT
SEM_CAMADA_UCBT SEM_CAMADAS_DA_REDE CODIGO_FORA_DO_DOMINIO
arquivo arquivos banco forcar manter pasta sem_camada substituir
test_what_came_by_the_inbox_ends_in_feito_or_recusado_with_the_reason
"""
DATA = frozenset(_DATA.split())
"""Faults of the synthetic base (values of an option), what people type in Dagster's launchpad, its
resource, the inbox's folders."""
_ENGLISH = """
a an and are at by does file files for from has how if in into is of on only or that the their
this to when where which with without
"""
ENGLISH = frozenset(_ENGLISH.split())
"""Words that no Portuguese sentence has."""


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that a file gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def told(tree: ast.AST) -> Iterator[str]:
    """Texts that a command's help, a refusal or Dagster's page shows."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        values = [k.value for k in node.keywords if k.arg in {"help", "description"}]
        if name in {"BadParameter", "Failure"} or (
            isinstance(node.func, ast.Name) and node.func.id in {"InvalidInput", "DatabaseFailure"}
        ):
            values += node.args[:1]
        for value in values:
            parts = [x.value for x in ast.walk(value) if isinstance(x, ast.Constant)]
            yield " ".join(part for part in parts if isinstance(part, str))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(CLONE)))
def test_identifiers_are_english(file: Path) -> None:
    names = set(identifiers(ast.parse(file.read_text(encoding="utf-8")))) - DATA
    assert {n for n in names if PORTUGUESE & {*n.lower().strip("_").split("_")}} == set()


TELLING = [f for f in FILES if f.relative_to(CLONE).parts[0] not in {"scripts", "bench", "tests"}]


@pytest.mark.parametrize("file", TELLING, ids=lambda f: str(f.relative_to(CLONE)))
def test_what_a_person_is_told_is_portuguese(file: Path) -> None:
    texts = told(ast.parse(file.read_text(encoding="utf-8")))
    english = {t for t in texts if len(ENGLISH & {*re.findall(r"[a-z]+", t.lower())} - {"a"}) >= 2}
    assert english == set()
