"""Landing of one BDGD file: from a path to published raw leaves and a closed ledger.

Belongs here: the order of the steps and what happens when one fails. Not here: how a step works.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from loaders import conservation, registro, removal, sums
from loaders.arquivos import achar, somar_sha256
from loaders.camadas import CAMADAS, CAMADAS_DECISIVAS, Camada
from loaders.conexao import conectar, preparar
from loaders.erros import EntradaInvalida, EntregaRetida, ErroDeCarga, FalhaDeBanco
from loaders.gate import hold, references
from loaders.gate.evidence import DOOR, Finding, said
from loaders.kinds import identify
from loaders.particoes import Folha, criar_folha, folhas_existentes, trocar
from loaders.safra import Safra, listed

if TYPE_CHECKING:
    from loaders.copia import Soma
    from loaders.fonte import Fonte

SUBSTITUICAO = "substituir geodatabase"
"""``acao`` in controle.auditoria."""

log = logging.getLogger(__name__)


Progresso = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def _sem_progresso(camada: str, linhas: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class Opcoes:
    """How to land.

    Attributes:
        safra: the vintage, for files that do not say it; of a CSV, the only one to land.
        esperar: wait for another landing of the same safra instead of refusing.
        substituir: let a CSV of legal persons replace a layer that came from a geodatabase.
        forcar: land even when this very content is there already.
        milhar: what groups thousands in a CSV's columns that do not tell (loaders/number_text.py).
        progresso: (layer, rows in the file) → context of a function that takes the rows of a step.
    """

    safra: Safra | None = None
    esperar: bool = False
    substituir: bool = False
    forcar: bool = False
    milhar: str | None = None
    progresso: Progresso = _sem_progresso


@dataclass
class _Andamento:
    """Ledger rows of this landing, so that a failure anywhere can close them."""

    sha256: str | None = None
    safras: tuple[Safra, ...] = ()
    import_ids: list[int] = field(default_factory=list)
    retidas: dict[str, str] = field(default_factory=dict)


def abrir(caminho: Path, opcoes: Opcoes) -> "AbstractContextManager[Fonte]":
    """Open a source of either kind; yields a ``Fonte``."""
    from loaders import csv_pj, geodatabase

    achado = identify(caminho)
    if achado.others:
        log.warning("%s: no zip, não lidos: %s", caminho.name, ", ".join(achado.others))
    if achado.layer:
        return csv_pj.abrir(caminho, safra=opcoes.safra, milhar=opcoes.milhar)
    return geodatabase.abrir(caminho, safra=opcoes.safra)


def passos(caminho: Path, opcoes: Opcoes, *, simular: bool = False) -> list[Callable[[], object]]:
    """One step per file that a path stands for; a folder that gives none is one failing step."""
    try:
        acao = descrever if simular else carregar
        return [partial(acao, arquivo, opcoes) for arquivo in achar(caminho)]
    except EntradaInvalida as erro:
        return [partial(_recusar, caminho, erro, simular=simular)]


def _recusar(caminho: Path, erro: EntradaInvalida, *, simular: bool) -> None:
    if not simular:
        _registrar_falha(caminho.name, _Andamento(), str(erro))
    raise erro


def carregar(caminho: Path, opcoes: Opcoes) -> list[str]:
    """Land one file and return the keys of the safras that are now its content.

    Raises:
        EntradaInvalida: nothing changed but one ledger row per layer that says failed, and why.
        EntregaRetida: it landed, or had, but a safra of it is held at the gate.
        FalhaDeBanco: likewise, as far as the database could still be told.
    """
    andamento = _Andamento()
    try:
        with closing(conectar()) as conn:
            preparar(conn)
            sums.complete(conn)
            try:
                chaves = _carregar(conn, caminho, opcoes, andamento)
                andamento.retidas = hold.retidas(conn, chaves)
            except OSError as erro:
                motivo = erro.strerror or erro
                onde = f", {erro.filename}" if erro.filename else ""
                raise EntradaInvalida(
                    f"{caminho.name}: não se pôde ler ou escrever ({motivo}{onde}); confira o disco"
                    " e os direitos"
                ) from erro
            except psycopg.Error as erro:
                raise _traduzir(erro, caminho.name) from None
    except BaseException as erro:
        previsto = isinstance(erro, ErroDeCarga)
        mensagem = str(erro) if previsto else f"interrompido: {type(erro).__name__}"
        _registrar_falha(caminho.name, andamento, mensagem)
        raise
    for chave, motivo in andamento.retidas.items():
        raise EntregaRetida(
            f"{caminho.name}: aterrissou, mas a safra {listed(list(andamento.retidas))} está"
            f" retida e não será publicada: {motivo}; {hold.remedio(chave)}"
        )
    return chaves


def _registrar_falha(arquivo: str, andamento: _Andamento, mensagem: str) -> None:
    """On a connection of its own: the landing's may be the thing that failed."""
    try:
        with closing(conectar()) as conn:
            preparar(conn)
            if andamento.import_ids:
                registro.falhar(conn, andamento.import_ids, mensagem)
            else:
                registro.registrar_falha(
                    conn,
                    andamento.safras or (None,),
                    arquivo=arquivo,
                    sha256=andamento.sha256,
                    erro=mensagem,
                )
    except (FalhaDeBanco, psycopg.Error) as erro:
        log.warning("%s: a falha não pôde ser registrada (%s)", arquivo, type(erro).__name__)


def _traduzir(erro: psycopg.Error, arquivo: str) -> ErroDeCarga:
    """PostgreSQL's reason without the row's values, which may name a person."""
    contexto = (erro.diag.context or "").split(":")[0]
    motivo = " ".join(f"{erro.diag.message_primary or erro} {contexto}".split())
    if isinstance(erro, psycopg.DataError):
        return EntradaInvalida(f"{arquivo}: o PostgreSQL recusou os dados: {motivo}")
    return FalhaDeBanco(f"{arquivo}: {motivo}; nada mudou, repita quando o banco responder")


def _carregar(
    conn: psycopg.Connection, caminho: Path, opcoes: Opcoes, andamento: _Andamento
) -> list[str]:
    andamento.sha256 = somar_sha256(caminho)
    pedidas = {opcoes.safra.chave} if opcoes.safra else None
    if feitas := _ja_carregado(conn, caminho, opcoes, andamento.sha256, pedidas):
        registro.interromper_mortos(conn, feitas)
        return feitas
    with abrir(caminho, opcoes) as fonte:
        andamento.safras = fonte.safras
        registro.travar(conn, fonte.safras, esperar=opcoes.esperar)
        registro.interromper_abandonados(conn, fonte.safras)
        pedidas = {safra.chave for safra in fonte.safras}
        if feitas := _ja_carregado(conn, caminho, opcoes, andamento.sha256, pedidas):
            return feitas
        completas = _completas(conn, fonte)
        if completas and not opcoes.substituir:
            raise _parcial(fonte, completas, caminho.name)
        _aterrissar(conn, fonte, caminho.name, opcoes, andamento, completas)
    return sorted(pedidas)


def _ja_carregado(
    conn: psycopg.Connection,
    caminho: Path,
    opcoes: Opcoes,
    sha256: str,
    pedidas: set[str] | None,
) -> list[str]:
    feitas = [] if opcoes.forcar else registro.ja_carregado(conn, sha256, pedidas)
    if velhas := sums.made_from_raw(conn, feitas):
        log.info(
            "%s: já carregado, mas sem as somas da carga em %s: aterrissa de novo",
            caminho.name,
            listed(velhas),
        )
        return []
    if velhas := registro.lacking_layers(conn, sha256, feitas, CAMADAS):
        log.info(
            "%s: já carregado em %s, antes de haver todas as camadas de hoje: aterrissa de novo",
            caminho.name,
            listed(velhas),
        )
        return []
    if feitas:
        log.info("%s: já carregado em %s, nada a fazer", caminho.name, listed(feitas))
    return feitas


def _completas(conn: psycopg.Connection, fonte: "Fonte") -> list[str]:
    """Safras whose layer came with a geodatabase, where the source is a CSV of that layer."""
    if len(fonte.camadas) > 1:
        return []
    return registro.safras_de_geodatabase(conn, fonte.safras, *fonte.camadas)


def _parcial(fonte: "Fonte", completas: list[str], arquivo: str) -> EntradaInvalida:
    """A CSV has only legal persons: not to replace a geodatabase's layer unasked."""
    (camada,) = fonte.camadas
    return EntradaInvalida(
        f"{arquivo}: {camada.nome} de {listed(completas)} veio de uma geodatabase, e este"
        " arquivo só tem pessoas jurídicas; use --substituir, ou --safra para outra safra"
    )


def _aterrissar(
    conn: psycopg.Connection,
    fonte: "Fonte",
    arquivo: str,
    opcoes: Opcoes,
    andamento: _Andamento,
    completas: list[str],
) -> None:
    """Land every layer and swap, in one transaction: a kill at any moment leaves no trace.

    That ``completas`` lose a geodatabase's layer is what a person asked for: audited.
    """
    for camada in fonte.camadas:
        for aviso in fonte.observacoes.get(camada.nome, ()):
            log.warning("%s: %s: %s", arquivo, camada.nome, aviso)
    ids: dict[Safra, dict[str, int]] = {}
    for safra in fonte.safras:
        ids[safra] = registro.iniciar(
            conn, safra, fonte.camadas, arquivo=arquivo, sha256=andamento.sha256 or ""
        )
        andamento.import_ids += ids[safra].values()
    with conn.transaction():
        # A wide layer's default sample takes longer than its COPY; dbt's plans need its row count.
        conn.execute("set local default_statistics_target = 10")
        folhas, somas = [], {}
        for camada in CAMADAS:
            novas = _criar_folhas(conn, fonte, camada, ids)
            folhas += novas.values()
            if fonte.presente(camada):
                somas |= _copiar_camada(conn, fonte, camada, novas, arquivo, opcoes)
        findings = {safra: _compare(conn, fonte, safra, folhas) for safra in fonte.safras}
        keep = {name for safra in fonte.safras for name in references.to_keep(conn, safra)}
        trocar(conn, folhas, keep=keep)
        for safra in fonte.safras:
            _concluir(conn, fonte, safra, ids[safra], somas, findings[safra])
            if safra.chave in completas:
                ((camada, import_id),) = ids[safra].items()
                detalhes = {"camada": camada, "import_id": import_id, "arquivo": arquivo}
                hold.auditar(conn, acao=SUBSTITUICAO, objeto=safra.chave, detalhes=detalhes)
        example = None if arquivo == removal.EXAMPLE_FILE else removal.take_example_away(conn)
    removal.finish(conn, example)


def _criar_folhas(
    conn: psycopg.Connection, fonte: "Fonte", camada: Camada, ids: dict[Safra, dict[str, int]]
) -> dict[Safra, Folha]:
    """Leaves to fill, and empty ones for layers that neither file nor safra has."""
    folhas = {
        # A layer that this file does not bring has no execution of its own.
        safra: Folha(camada, safra, por_camada.get(camada.nome) or min(por_camada.values()))
        for safra, por_camada in ids.items()
    }
    if camada not in fonte.camadas:
        existentes = folhas_existentes(conn, [folha.nome for folha in folhas.values()])
        folhas = {s: folha for s, folha in folhas.items() if folha.nome not in existentes}
    for folha in folhas.values():
        criar_folha(conn, folha)
    return folhas


def _copiar_camada(
    conn: psycopg.Connection,
    fonte: "Fonte",
    camada: Camada,
    folhas: dict[Safra, Folha],
    arquivo: str,
    opcoes: Opcoes,
) -> "dict[tuple[Safra, str], Soma]":
    from loaders.copia import copiar_camada

    inicio = time.monotonic()
    linhas = {safra: n for (safra, nome), n in fonte.linhas.items() if nome == camada.nome}
    with opcoes.progresso(camada.nome, sum(linhas.values())) as avancar:
        somas = copiar_camada(
            conn, camada, folhas, fonte.lotes(camada), arquivo=arquivo, progresso=avancar
        )
    conservation.check_layer(camada, somas, linhas, file=arquivo)
    for safra, soma in somas.items():
        conn.execute(sql.SQL("analyze {}").format(folhas[safra].nova))
        log.info(
            "safra %s %s: %d linhas, %d rejeitadas, %s%.1f s",
            safra.chave,
            camada.nome,
            soma.lidas,
            soma.rejeitadas,
            f"{soma.kwh:.2f} kWh, " if camada.energia else "",
            time.monotonic() - inicio,
        )
    return {(safra, camada.nome): soma for safra, soma in somas.items()}


def _compare(
    conn: psycopg.Connection, fonte: "Fonte", safra: Safra, folhas: list[Folha]
) -> list[Finding]:
    """What the new leaves say beside what the distributor delivered before."""
    return references.compare_landing(
        conn,
        safra,
        {f.camada.nome: f.nova for f in folhas if f.safra == safra and f.camada in fonte.camadas},
        complete=len(fonte.camadas) > 1,
        absent=[c.nome for c in fonte.camadas if not fonte.presente(c)],
    )


def _concluir(
    conn: psycopg.Connection,
    fonte: "Fonte",
    safra: Safra,
    ids: dict[str, int],
    somas: "dict[tuple[Safra, str], Soma]",
    findings: list[Finding],
) -> None:
    """Close one safra: through the gate's comparison, or held."""
    contagens, delivered, findings = {}, {}, list(findings)
    for camada in (c for c in fonte.camadas if c.nome in ids):
        nome, soma = camada.nome, somas.get((safra, camada.nome))
        processadas = soma.lidas - soma.rejeitadas if soma else 0
        kwh = soma.kwh if soma else 0.0
        delivered[nome] = hold.Delivered(ids[nome], processadas, kwh, fonte.presente(camada))
        contagens[nome] = registro.Contagem(
            processadas=processadas,
            rejeitadas=soma.rejeitadas if soma else 0,
            observacoes="; ".join(_notas(fonte.observacoes.get(nome, ()), soma)) or None,
        )
        if camada in CAMADAS_DECISIVAS:
            findings += _em_dobro(nome, soma)
    sums.write(conn, safra, fonte.camadas, ids, somas)
    reason = said(findings)
    if findings:
        erro = f"safra retida: {reason}; {hold.remedio(safra.chave)}"
        contagens = {nome: replace(contagem, erro=erro) for nome, contagem in contagens.items()}
    complete = len(fonte.camadas) > 1
    hold.record(conn, safra, delivered, complete=complete, accepted=not findings)
    waiting = hold.pendencia(conn, safra, ids)
    registro.concluir(
        conn, safra, {ids[nome]: c for nome, c in contagens.items()}, retencao=reason or waiting
    )
    if findings or not waiting:
        hold.note(conn, safra, findings)


def _notas(do_arquivo: Iterable[str], soma: "Soma | None") -> Iterator[str]:
    """What stands in the ledger beside the counts of a layer."""
    from loaders import physics

    yield from do_arquivo
    if soma is None:
        return
    yield from (
        f"{quantas} linhas rejeitadas: {motivo}" for motivo, quantas in soma.motivos.items()
    )
    for motivo, quantas in soma.corrigidos.items():
        feito = "sem data para quem lê" if motivo in physics.KEPT_AS_TEXT else "anulados"
        yield f"{quantas} valores {feito}: {motivo}"
    if soma.sobrepostas:
        yield f"{soma.sobrepostas} COD_ID com energia no mesmo mês em linhas diferentes: somadas"


def _em_dobro(nome: str, soma: "Soma | None") -> list[Finding]:
    """A layer with many copies was exported twice, or joined with itself: not to be published."""
    from loaders import copies, physics

    copias = soma.motivos[copies.REASON] if soma else 0
    maximo = physics.limit(physics.COPIES)
    if not soma or copias <= maximo * soma.lidas:
        return []
    text = (
        f"{nome}: {copias} de {soma.lidas} linhas são cópias idênticas de outras"
        f" ({copias / soma.lidas:.0%}; o máximo é {maximo:.0%})"
    )
    return [Finding(physics.COPIES, nome, text, DOOR, {"copias": copias, "linhas": soma.lidas})]


def descrever(caminho: Path, opcoes: Opcoes) -> None:
    """Log what a landing would land; touches no database."""
    somar_sha256(caminho)
    with abrir(caminho, opcoes) as fonte:
        for (safra, nome), linhas in fonte.linhas.items():
            avisos = "; ".join(fonte.observacoes.get(nome, ()))
            log.info("safra %s %s: %d linhas no arquivo. %s", safra.chave, nome, linhas, avisos)
