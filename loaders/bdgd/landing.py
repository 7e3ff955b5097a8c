"""Landing of one BDGD file: from a path to published raw leaves and a closed ledger.

Belongs here: the order of the steps and what happens when one fails. Not here: how a step works,
what is written of what landed (conclusion.py).
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from loaders import ledger, removal
from loaders.bdgd import complement, conclusion, conservation, sums
from loaders.bdgd.files import find, sha256_of
from loaders.bdgd.kinds import identify
from loaders.bdgd.layers import ALL_LAYERS, COMPLEMENTS, Layer
from loaders.bdgd.leaves import Leaf, create_leaf, existing_leaves, swap
from loaders.connection import connect, prepare
from loaders.errors import DatabaseFailure, HeldDelivery, InvalidInput, LoadError
from loaders.figures import number
from loaders.gate import hold, references
from loaders.gate.evidence import Finding
from loaders.safra import Safra, listed

if TYPE_CHECKING:
    from loaders.bdgd.source import Source
    from loaders.bdgd.transfer import Totals

REPLACEMENT = "substituir geodatabase"
DECLARATION = "declarar camadas ausentes"
"""Values of ``acao`` in controle.auditoria."""

log = logging.getLogger(__name__)


Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def _no_progress(layer: str, rows: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to land.

    Attributes:
        safra: the vintage, for files that do not say it; of a CSV, the only one to land.
        wait: wait for another landing of the same safra instead of refusing.
        replace_layer: let a CSV of legal persons replace a layer that came from a geodatabase.
        complement: land a CSV beside the geodatabases that are there (complement.py).
        force: land even when this very content is there already.
        thousands: what groups thousands in a CSV's columns that do not tell (number_text.py).
        without: layers (``UCBT``) that a person says this copy of a geodatabase lacks.
        distributor: whose file a catalogue says that it is; another one's is refused.
        progress: (layer, rows in the file) → context of a function that takes the rows of a step.
        turn: context in which the safras' locks are taken.
    """

    safra: Safra | None = None
    wait: bool = False
    replace_layer: bool = False
    complement: bool = False
    force: bool = False
    thousands: str | None = None
    without: frozenset[str] = frozenset()
    distributor: int | None = None
    progress: Progress = _no_progress
    turn: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass
class _State:
    """Ledger rows of this landing, so that a failure anywhere can close them."""

    sha256: str | None = None
    safras: tuple[Safra, ...] = ()
    import_ids: list[int] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)


def opened(
    path: Path, options: Options, conn: psycopg.Connection | None = None
) -> "AbstractContextManager[Source]":
    """Open a source of either kind; yields a ``Source``.

    Args:
        path: the file.
        options: how to land it.
        conn: where a complement's safras must have landed; None: all that the file has.

    Raises:
        InvalidInput: a geodatabase complements nothing; and what the readers refuse.
    """
    from loaders.bdgd import csv_pj, geodatabase

    found = identify(path)
    if found.others:
        log.warning("%s: no zip, não lidos: %s", path.name, ", ".join(found.others))
    if found.layer and options.without:
        raise InvalidInput(
            f"{path.name}: --sem-camada vale para geodatabases, e este é um CSV;"
            " carregue-o sem a opção"
        )
    if found.layer:
        among = complement.open_to(conn, found.layer) if options.complement and conn else None
        return csv_pj.opened(path, safra=options.safra, among=among, thousands=options.thousands)
    if options.complement:
        raise InvalidInput(
            f"{path.name}: é uma geodatabase, e só um CSV _pj é complemento; tire --complemento"
            " (na caixa de entrada: ponha-a fora da pasta complemento)"
        )
    return geodatabase.opened(path, safra=options.safra, without=options.without)


def steps_for(path: Path, options: Options, *, dry_run: bool = False) -> list[Callable[[], object]]:
    """One step per file that a path stands for; a folder that gives none is one failing step."""
    try:
        action = describe if dry_run else land
        return [partial(action, file, options) for file in find(path)]
    except InvalidInput as error:
        return [partial(_refuse, path, error, dry_run=dry_run)]


def _refuse(path: Path, error: InvalidInput, *, dry_run: bool) -> None:
    if not dry_run:
        _record_failure(path.name, _State(), str(error))
    raise error


def land(path: Path, options: Options) -> list[str]:
    """Land one file and return the keys of the safras that are now its content.

    Raises:
        InvalidInput: nothing changed but one ledger row per layer that says failed, and why.
        HeldDelivery: it landed, or had, but a safra of it is held at the gate.
        DatabaseFailure: likewise, as far as the database could still be told.
    """
    state = _State()
    try:
        with closing(connect()) as conn:
            prepare(conn)
            sums.complete(conn)
            try:
                keys = _land(conn, path, options, state)
                state.held = hold.held(conn, keys)
            except OSError as error:
                reason = error.strerror or error
                where = f", {error.filename}" if error.filename else ""
                raise InvalidInput(
                    f"{path.name}: não se pôde ler ou escrever ({reason}{where}); confira o disco"
                    " e os direitos"
                ) from error
            except psycopg.Error as error:
                raise _translated(error, path.name) from None
    except BaseException as error:
        expected = isinstance(error, LoadError)
        message = str(error) if expected else f"interrompido: {type(error).__name__}"
        _record_failure(path.name, state, message)
        raise
    for key, reason in state.held.items():
        raise HeldDelivery(
            f"{path.name}: aterrissou, mas a safra {listed(list(state.held))} está"
            f" retida e não será publicada: {reason}; {hold.remedy(key)}"
        )
    return keys


def _record_failure(file: str, state: _State, message: str) -> None:
    """On a connection of its own: the landing's may be the thing that failed."""
    try:
        with closing(connect()) as conn:
            prepare(conn)
            if state.import_ids:
                ledger.fail(conn, state.import_ids, message)
            else:
                ledger.record_failure(
                    conn,
                    state.safras or (None,),
                    file=file,
                    sha256=state.sha256,
                    error=message,
                )
    except (DatabaseFailure, psycopg.Error) as error:
        log.warning("%s: a falha não pôde ser registrada (%s)", file, type(error).__name__)


def _translated(error: psycopg.Error, file: str) -> LoadError:
    """PostgreSQL's reason without the row's values, which may name a person."""
    context = (error.diag.context or "").split(":")[0]
    reason = " ".join(f"{error.diag.message_primary or error} {context}".split())
    if isinstance(error, psycopg.DataError):
        return InvalidInput(f"{file}: o PostgreSQL recusou os dados: {reason}")
    return DatabaseFailure(f"{file}: {reason}; nada mudou, repita quando o banco responder")


def _land(conn: psycopg.Connection, path: Path, options: Options, state: _State) -> list[str]:
    state.sha256 = sha256_of(path)
    asked = {options.safra.key} if options.safra else None
    if done := _already_landed(conn, path, options, state.sha256, asked):
        ledger.close_dead(conn, done)
        return done
    with opened(path, options, conn) as source:
        _refuse_other_distributor(path.name, source.safras, options.distributor)
        state.safras = source.safras
        with options.turn():
            ledger.lock(conn, source.safras, wait=options.wait)
        ledger.close_abandoned(conn, source.safras)
        asked = {safra.key for safra in source.safras}
        if done := _already_landed(conn, path, options, state.sha256, asked):
            return done
        if options.complement:
            _land_complement(conn, source, path.name, options, state)
            return sorted(asked)
        whole = _whole(conn, source)
        if whole and not options.replace_layer:
            raise _partial(source, whole, path.name)
        _land_layers(conn, source, path.name, options, state, whole)
    return sorted(asked)


def _refuse_other_distributor(file: str, safras: tuple[Safra, ...], said: int | None) -> None:
    """A wrong title would put one distributor's rows in the place of another's."""
    found = {safra.distribuidora_id for safra in safras}
    if said is not None and found != {said}:
        raise InvalidInput(
            f"{file}: o catálogo diz que é da distribuidora {said}, e o arquivo diz que é de"
            f" {', '.join(map(str, sorted(found)))}; nada mudou. Se o arquivo tem razão:"
            " make run BDGD=ARQUIVO"
        )


def _already_landed(
    conn: psycopg.Connection,
    path: Path,
    options: Options,
    sha256: str,
    asked: set[str] | None,
) -> list[str]:
    done = (
        []
        if options.force
        else ledger.already_landed(conn, sha256, asked, complement=options.complement)
    )
    if old_ones := sums.made_from_raw(conn, done):
        log.info(
            "%s: já carregado, mas sem as somas da carga em %s: aterrissa de novo",
            path.name,
            listed(old_ones),
        )
        return []
    if old_ones := ledger.lacking_layers(conn, sha256, done, ALL_LAYERS):
        log.info(
            "%s: já carregado em %s, antes de haver todas as camadas de hoje: aterrissa de novo",
            path.name,
            listed(old_ones),
        )
        return []
    if done:
        log.info("%s: já carregado em %s, nada a fazer", path.name, listed(done))
    return done


def _whole(conn: psycopg.Connection, source: "Source") -> list[str]:
    """Safras whose layer came with a geodatabase, where the source is a CSV of that layer."""
    if len(source.layers) > 1:
        return []
    return ledger.safras_from_geodatabase(conn, source.safras, *source.layers)


def _partial(source: "Source", whole: list[str], file: str) -> InvalidInput:
    """A CSV has only legal persons: not to replace a geodatabase's layer unasked."""
    (layer,) = source.layers
    return InvalidInput(
        f"{file}: {layer.name} de {listed(whole)} veio de uma geodatabase, e este"
        " arquivo só tem pessoas jurídicas; use --complemento (na caixa de entrada, a"
        " pasta complemento) para o pôr ao lado dela, --substituir para o pôr no lugar,"
        " ou --safra para outra safra"
    )


def _land_layers(
    conn: psycopg.Connection,
    source: "Source",
    file: str,
    options: Options,
    state: _State,
    whole: list[str],
) -> None:
    """Land every layer and swap, in one transaction: a kill at any moment leaves no trace.

    That ``whole`` lose a geodatabase's layer is what a person asked for: audited.
    """
    for layer in source.layers:
        for notice in source.remarks.get(layer.name, ()):
            log.warning("%s: %s: %s", file, layer.name, notice)
    ids: dict[Safra, dict[str, int]] = {}
    for safra in source.safras:
        ids[safra] = ledger.begin(conn, safra, source.layers, file=file, sha256=state.sha256 or "")
        state.import_ids += ids[safra].values()
    with conn.transaction():
        # A wide layer's default sample takes longer than its COPY; dbt's plans need its row count.
        conn.execute("set local default_statistics_target = 10")
        leaves, totals = [], {}
        for layer in ALL_LAYERS:
            new_ones = _create_leaves(conn, source, layer, ids)
            leaves += new_ones.values()
            if source.present(layer):
                totals |= _copy_layer(conn, source, layer, new_ones, file, options)
        findings = {safra: _compare(conn, source, safra, leaves) for safra in source.safras}
        keep = {name for safra in source.safras for name in references.to_keep(conn, safra)}
        swap(conn, leaves, keep=keep)
        for safra in source.safras:
            found = complement.renew(conn, safra, max(ids[safra].values()))
            conclusion.conclude(conn, source, safra, ids[safra], totals, findings[safra], found)
            if safra.key in whole:
                ((layer, import_id),) = ids[safra].items()
                details = {"camada": layer, "import_id": import_id, "arquivo": file}
                hold.audit(conn, action=REPLACEMENT, subject=safra.key, details=details)
            if source.lacking:
                details = {"camadas": sorted(source.lacking), "arquivo": file}
                hold.audit(conn, action=DECLARATION, subject=safra.key, details=details)
        example = None if file == removal.EXAMPLE_FILE else removal.take_example_away(conn)
    removal.finish(conn, example)


def _land_complement(
    conn: psycopg.Connection, source: "Source", file: str, options: Options, state: _State
) -> None:
    """Land a CSV beside its layer, which keeps every row; all or nothing likewise."""
    (layer,) = source.layers
    beside = COMPLEMENTS[layer.name]
    ids: dict[Safra, int] = {}
    for safra in source.safras:
        ids[safra] = ledger.begin(conn, safra, [beside], file=file, sha256=state.sha256 or "")[
            beside.name
        ]
        state.import_ids.append(ids[safra])
    with conn.transaction():
        leaves = {safra: Leaf(beside, safra, ids[safra]) for safra in source.safras}
        for leaf in leaves.values():
            create_leaf(conn, leaf)
        totals = _copy_layer(conn, source, layer, leaves, file, options)
        for safra, leaf in leaves.items():
            total = totals[safra, layer.name]
            found = complement.keep(conn, leaf, rows=total.landed)
            log.info("%s: safra %s: %s", file, safra.key, found)
            notes = "; ".join([found, *conclusion.notes(source.remarks[layer.name], total)])
            ledger.close(conn, {leaf.import_id: ledger.Counts(total.landed, total.rejected, notes)})
            ledger.renew(conn, safra, leaf.import_id)


def _create_leaves(
    conn: psycopg.Connection, source: "Source", layer: Layer, ids: dict[Safra, dict[str, int]]
) -> dict[Safra, Leaf]:
    """Leaves to fill, and empty ones for layers that neither file nor safra has."""
    leaves = {
        # A layer that this file does not bring has no execution of its own.
        safra: Leaf(layer, safra, by_layer.get(layer.name) or min(by_layer.values()))
        for safra, by_layer in ids.items()
    }
    if layer not in source.layers:
        existing = existing_leaves(conn, [leaf.name for leaf in leaves.values()])
        leaves = {s: leaf for s, leaf in leaves.items() if leaf.name not in existing}
    for leaf in leaves.values():
        create_leaf(conn, leaf)
    return leaves


def _copy_layer(
    conn: psycopg.Connection,
    source: "Source",
    layer: Layer,
    leaves: dict[Safra, Leaf],
    file: str,
    options: Options,
) -> "dict[tuple[Safra, str], Totals]":
    from loaders.bdgd.transfer import copy_layer

    start = time.monotonic()
    rows = {safra: n for (safra, name), n in source.rows.items() if name == layer.name}
    with options.progress(layer.name, sum(rows.values())) as advance:
        totals = copy_layer(conn, layer, leaves, source.batches(layer), file=file, progress=advance)
    conservation.check_layer(layer, totals, rows, file=file)
    for safra, total in totals.items():
        conn.execute(sql.SQL("analyze {}").format(leaves[safra].new))
        log.info(
            "safra %s %s: %d linhas, %d rejeitadas, %s%.1f s",
            safra.key,
            layer.name,
            total.rows_read,
            total.rejected,
            f"{number(total.kwh, 2)} kWh, " if layer.energy else "",
            time.monotonic() - start,
        )
    return {(safra, layer.name): total for safra, total in totals.items()}


def _compare(
    conn: psycopg.Connection, source: "Source", safra: Safra, leaves: list[Leaf]
) -> list[Finding]:
    """What the new leaves say beside what the distributor delivered before."""
    return references.compare_landing(
        conn,
        safra,
        {f.layer.name: f.new for f in leaves if f.safra == safra and f.layer in source.layers},
        complete=len(source.layers) > 1,
        absent=frozenset(c.name for c in source.layers if not source.present(c)),
        lacking=source.lacking,
    )


def describe(path: Path, options: Options) -> None:
    """Log what a landing would land; touches no database."""
    sha256_of(path)
    with opened(path, options) as source:
        for (safra, name), rows in source.rows.items():
            notices = "; ".join(source.remarks.get(name, ()))
            if options.complement:
                name = COMPLEMENTS[name].name  # noqa: PLW2901
            log.info("safra %s %s: %d linhas no arquivo. %s", safra.key, name, rows, notices)
        for safra, layer in product(source.safras, source.layers):
            if layer.name in source.lacking:
                notices = "; ".join(source.remarks[layer.name])
                log.warning("safra %s %s: %s", safra.key, layer.name, notices)
