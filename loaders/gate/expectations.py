"""Runs the landing gate's rules on a safra with Great Expectations, in SQL, and keeps the results.

Belongs here: running suites, the table of results, holding a safra whose structure is broken. Not
here: the rules (regras.py), the hold itself (loaders/hold.py), Dagster's side (defs/checks.py).
No row leaves the database, only counts. ``python -m dagster_pipeline.expectativas 401-2024``
"""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Annotated, Any

import psycopg
import typer
from psycopg import sql
from psycopg.types.json import Jsonb

from loaders import conexao
from loaders.camadas import CAMADAS, CAMADAS_UC, Camada
from loaders.erros import EntradaInvalida, ErroDeCarga
from loaders.gate import hold
from loaders.gate.rules import Regra, Retrato, regras
from loaders.safra import Safra

CONTAGENS = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
}
"""GX's BASIC asks for samples of the bad values, people's data perhaps: none, and not kept."""

TABELA = """
    create table if not exists intel_lead.qualidade_validacao (
        distribuidora_id integer not null,
        ano smallint not null,
        import_id bigint not null,
        camada text not null,
        expectativa text not null,
        coluna text not null,
        severidade text not null check (severidade in ('estrutura', 'plausibilidade')),
        sucesso boolean not null,
        descricao text not null,
        inesperados bigint,
        total bigint,
        observado jsonb not null,
        executada_em timestamptz not null default clock_timestamp(),
        primary key (distribuidora_id, ano, import_id, camada, expectativa, coluna)
    );
    comment on table intel_lead.qualidade_validacao is
        'Uma linha por safra × importação × camada × expectativa × coluna: o que o portão de'
        ' entrada viu nos dados brutos. estrutura retém a safra, plausibilidade avisa.';
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resultado:
    """What one rule saw.

    Attributes:
        inesperados: rows, or for a rule over the whole layer nothing.
        observado: what was judged, as a number; only aggregates.
    """

    camada: str
    regra: Regra
    sucesso: bool
    inesperados: int | None
    total: int
    observado: dict[str, Any]

    def __str__(self) -> str:
        """What was seen, in a word: bad rows, else the figure that was judged."""
        if self.inesperados is not None:
            return f"({self.inesperados} linhas)"
        valor = self.observado.get("observed_value")
        return f"({valor:.4g})" if isinstance(valor, float) else f"({valor})"


@dataclass(frozen=True)
class Validacao:
    """One run over one safra.

    Attributes:
        segundos: without the import of Great Expectations.
        retencao: why the safra is held now; None too where a person released it as it is.
    """

    safra: Safra
    import_id: int
    resultados: tuple[Resultado, ...]
    segundos: float
    retencao: str | None = None

    def da(self, camada: str) -> list[Resultado]:
        """What was seen of one layer."""
        return [r for r in self.resultados if r.camada == camada]

    def falhas(self, severidade: str) -> list[Resultado]:
        """What failed of one severity."""
        return [r for r in self.resultados if not r.sucesso and r.regra.severidade == severidade]


# ── What has landed ───────────────────────────────────────────────────────────────────────────────
def _nome_da_folha(camada: Camada, safra: Safra) -> str:
    return f"{camada.tabela}_{safra.distribuidora_id}_{safra.ano}"


def aterrissada(conn: psycopg.Connection, chave: str) -> tuple[Safra, int]:
    """The safra with its true base date, and its import.

    Raises:
        EntradaInvalida: it is not landed.
    """
    pedida = Safra.de_chave(chave)
    linha = conn.execute(
        "select data_base, import_id from controle.safra_importada"
        " where (ano, distribuidora_id) = (%s, %s)",
        [pedida.ano, pedida.distribuidora_id],
    ).fetchone()
    if not linha:
        raise EntradaInvalida(f"safra {chave}: não aterrissou; python -m loaders bdgd ARQUIVO")
    return Safra.de_data(pedida.distribuidora_id, linha[0]), linha[1]


def retratar(conn: psycopg.Connection, safra: Safra) -> Iterator[Retrato]:
    """Each layer as it landed; the model is read off the columns that came filled."""
    linhas = {c.nome: _um(conn, "select count(*) from {}", c, safra) for c in CAMADAS}
    for camada in CAMADAS:
        registradas, rejeitadas = _registradas(conn, camada, safra)
        yield Retrato(
            safra=safra,
            camada=camada,
            modelo=_modelo(conn, camada, safra),
            linhas=linhas[camada.nome],
            tem_cod_id=_veio(conn, "cod_id", camada, safra),
            registradas=registradas,
            rejeitadas=rejeitadas,
            pontos=linhas["PONNOT"] > 0,
        )


def _um(conn: psycopg.Connection, consulta: str, camada: Camada, safra: Safra) -> Any:  # noqa: ANN401
    return conn.execute(
        sql.SQL(consulta).format(sql.Identifier("raw_safra", _nome_da_folha(camada, safra)))
    ).fetchone()[0]


def _veio(conn: psycopg.Connection, coluna: str, camada: Camada, safra: Safra) -> bool:
    consulta = f"select exists (select from {{}} where {coluna} is not null)"
    return _um(conn, consulta, camada, safra)


def _modelo(conn: psycopg.Connection, camada: Camada, safra: Safra) -> str:
    if camada not in CAMADAS_UC or not _veio(conn, "dic_01", camada, safra):
        return "M10"
    return "V11" if _veio(conn, "tip_sist", camada, safra) else "V10"


def _registradas(conn: psycopg.Connection, camada: Camada, safra: Safra) -> tuple[int | None, int]:
    """Rows that the ledger says are landed now, and rejected; a held delivery's row says failed."""
    linha = conn.execute(
        "select i.linhas_processadas, i.linhas_rejeitadas from intel_lead.import_status as i"
        " join controle.entrega as e using (import_id)"
        " where (e.ano, e.distribuidora_id, e.camada) = (%s, %s, %s) order by e.aceita limit 1",
        [safra.ano, safra.distribuidora_id, camada.nome],
    ).fetchone()
    return linha or (None, 0)


# ── Running ───────────────────────────────────────────────────────────────────────────────────────
def validar(conn: psycopg.Connection, chave: str) -> Validacao:
    """Judge a landed safra, keep what was seen, and hold it when its structure is broken.

    Raises:
        EntradaInvalida: the safra is not landed.
    """
    safra, import_id = aterrissada(conn, chave)
    fonte = _fonte()
    inicio = time.monotonic()
    resultados = [
        resultado
        for retrato in retratar(conn, safra)
        for resultado in _validar_camada(conn, fonte, retrato)
    ]
    validacao = Validacao(safra, import_id, tuple(resultados), time.monotonic() - inicio)
    _gravar(conn, validacao)
    falhas = validacao.falhas("estrutura")
    if falhas:
        ditas = [f"{r.camada}: falhou {r.regra.nome} {r.regra.coluna} {r}" for r in falhas]
        hold.reter(conn, safra, import_id, "; ".join(sorted(ditas)), {r.camada for r in falhas})
    hold.confirmar(conn, safra, import_id)
    return replace(validacao, retencao=hold.retidas(conn, [chave]).get(chave))


def _fonte() -> Any:  # noqa: ANN401 - a GX data source
    # Ephemeral: a file context writes the connection to disk. The address is libpq's PG*.
    import great_expectations as modulo

    contexto = modulo.get_context(mode="ephemeral")
    contexto.variables.progress_bars = {"globally": False}
    opcoes = {
        "options": "-c jit=off -c search_path=raw_safra",
        "application_name": "intel_lead portao",
    }
    # It prefers add_postgres, which wants the address spelled.
    aviso = modulo.datasource.fluent.GxDatasourceWarning
    with warnings.catch_warnings(action="ignore", category=aviso):
        return contexto.data_sources.add_sql(
            "raw", connection_string="postgresql+psycopg2://", kwargs={"connect_args": opcoes}
        )


def _validar_camada(
    conn: psycopg.Connection,
    fonte: Any,  # noqa: ANN401
    retrato: Retrato,
) -> Iterator[Resultado]:
    todas = regras(retrato)
    folha = _nome_da_folha(retrato.camada, retrato.safra)
    lote = fonte.add_table_asset(folha, table_name=folha)
    yield from _executar(lote, [regra for regra in todas if not regra.indicador], retrato)
    # GX runs a query several times: the scans are ours, GX judges the figures.
    figuras = _figuras(conn, folha, todas)
    linha = ", ".join(
        f"{'null' if figura is None else figura}::double precision as {regra.nome}"
        for regra, figura in figuras
    )
    lote = fonte.add_query_asset(f"{folha}_indicadores", query=f"select {linha}")
    yield from _executar(lote, [regra for regra, _ in figuras], retrato)


def _figuras(
    conn: psycopg.Connection, folha: str, todas: list[Regra]
) -> list[tuple[Regra, float | None]]:
    """The indicators of a leaf, in two scans: PostgreSQL sorts for a median with one core only."""
    figuras = []
    for ordena in (False, True):
        grupo = [r for r in todas if r.indicador and (" within group " in r.indicador) == ordena]
        if grupo:
            # count(*) makes it one row, even of an empty layer, of figures that are no aggregates.
            indicadores = ", ".join(regra.indicador for regra in grupo)
            consulta = f"select count(*), {indicadores} from raw_safra.{folha}"
            figuras += zip(grupo, conn.execute(consulta).fetchone()[1:], strict=True)
    return figuras


def _executar(lote: Any, regras: list[Regra], retrato: Retrato) -> Iterator[Resultado]:  # noqa: ANN401
    import great_expectations as modulo

    suite = modulo.ExpectationSuite(
        name="portao",
        expectations=[
            getattr(modulo.expectations, regra.classe)(
                **regra.argumentos,
                **({"column": regra.nome} if regra.indicador else _coluna(regra)),
                meta={"regra": n},
            )
            for n, regra in enumerate(regras)
        ],
    )
    tudo = lote.add_batch_definition_whole_table("tudo").get_batch()
    for visto in tudo.validate(suite, result_format=CONTAGENS).results:
        regra = regras[visto.expectation_config.meta["regra"]]
        if visto.exception_info.get("exception_message"):
            raise RuntimeError(
                f"{retrato.camada.nome} {regra.nome}: {visto.exception_info['exception_message']}"
            )
        yield _resultado(regra, bool(visto.success), visto.result, retrato)


def _coluna(regra: Regra) -> dict[str, str]:
    return {"column": regra.coluna} if regra.coluna else {}


def _resultado(regra: Regra, sucesso: bool, visto: dict, retrato: Retrato) -> Resultado:
    """GX's answer in our terms; a median of nothing is no failure."""
    valor = visto.get("observed_value")
    contagem = regra.indicador.startswith("count(")
    inesperados = int(valor) if contagem else visto.get("unexpected_count")
    if regra.indicador and valor is None:
        sucesso = True
    nomes = ("observed_value", "unexpected_percent", "missing_count")
    observado = {nome: visto[nome] for nome in nomes if nome in visto}
    if regra.nome == "colunas_da_camada":
        observado = dict(visto.get("details", {}).get("mismatched", {}))
    return Resultado(retrato.camada.nome, regra, sucesso, inesperados, retrato.linhas, observado)


def _gravar(conn: psycopg.Connection, validacao: Validacao) -> None:
    safra = validacao.safra
    onde = (safra.distribuidora_id, safra.ano, validacao.import_id)
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute(TABELA)
        cursor.execute(
            "delete from intel_lead.qualidade_validacao"
            " where (distribuidora_id, ano, import_id) = (%s, %s, %s)",
            onde,
        )
        cursor.executemany(
            "insert into intel_lead.qualidade_validacao (distribuidora_id, ano, import_id, camada,"
            " expectativa, coluna, severidade, sucesso, descricao, inesperados, total, observado)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (*onde, r.camada, r.regra.nome, r.regra.coluna, r.regra.severidade, r.sucesso)
                + (r.regra.descricao, r.inesperados, r.total, Jsonb(r.observado))
                for r in validacao.resultados
            ],
        )


# ── Command line ──────────────────────────────────────────────────────────────────────────────────
def mostrar(validacao: Validacao) -> None:
    """A table of what failed, and how many rules held."""
    from rich.console import Console
    from rich.table import Table

    tela = Console()
    tabela = Table()
    for titulo in ("camada", "expectativa", "coluna", "severidade", "visto", "de"):
        tabela.add_column(titulo, overflow="fold")
    for r in (*validacao.falhas("estrutura"), *validacao.falhas("plausibilidade")):
        cor = "red" if r.regra.severidade == "estrutura" else "yellow"
        tabela.add_row(
            r.camada,
            r.regra.nome,
            r.regra.coluna,
            f"[{cor}]{r.regra.severidade}[/]",
            str(r),
            str(r.total),
        )
    if tabela.row_count:
        tela.print(tabela)
    tela.print(
        f"safra {validacao.safra.chave}: {len(validacao.resultados)} expectativas,"
        f" {len(validacao.falhas('estrutura'))} falhas de estrutura,"
        f" {len(validacao.falhas('plausibilidade'))} avisos, {validacao.segundos:.1f} s"
    )


def principal(
    safras: Annotated[list[str], typer.Argument(metavar="401-2024...")],
) -> None:
    """Judge landed safras. Exit: 0 free to be built, 3 held or not landed, 4 database."""
    codigo = 0
    for chave in safras:
        try:
            with closing(conexao.conectar()) as conn:
                conexao.preparar(conn)
                validacao = validar(conn, chave)
        except ErroDeCarga as erro:
            log.error("%s", erro)
            codigo = max(codigo, erro.codigo)
            continue
        mostrar(validacao)
        if validacao.retencao:
            log.error("safra %s retida; %s", chave, hold.remedio(chave))
            codigo = max(codigo, EntradaInvalida.codigo)
    raise typer.Exit(codigo)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    typer.run(principal)
