"""What `make status` shows on one screen of 80 columns: what there is, what is missing, what next.

Belongs here: asking and saying. Not here: changing anything; executions of the loaders alone
(``python -m loaders status``). Imports neither Dagster nor dbt.
"""

import os
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from dagster_pipeline import page
from dagster_pipeline.manifest import CLONE
from health import files
from loaders import connection as db
from loaders import inbox, usage
from loaders.catalogue import bookkeeping, wanted
from loaders.errors import InvalidInput, LoadError
from loaders.figures import number
from loaders.open_data.registry import DATASETS
from server import place, run_states

WIDTH = 80
SAFRAS, REASONS, RUNS, SHOWN_FILES = 12, 5, 4, 3
"""How many of each fit one screen; of the rest, their number."""
BACKUP_DAYS = 2


@dataclass(frozen=True)
class Line:
    """One safra: state is ``publicada``, ``pendente``, ``retida`` or ``reprovada``."""

    key: str
    name: str
    state: str
    since: datetime | None
    leads: int | None
    gwh: float | None
    reason: str


QUERY = """
    select
        i.distribuidora_id || '-' || i.ano,
        coalesce(d.nome, ''),
        case
            when i.retida then 'retida'
            when r.motivo is not null then 'reprovada'
            when p.import_id = i.import_id then 'publicada'
            else 'pendente'
        end,
        p.publicada_em,
        s.leads,
        s.gwh,
        coalesce(i.motivo_retencao, r.motivo, l.motivo, '')
    from controle.safra_importada as i
    left join intel_lead.distribuidora as d on d.id = i.distribuidora_id
    left join intel_lead.safra_publicada as p using (ano, distribuidora_id)
    left join lateral (
        select string_agg(f.onde || ': ' || f.motivo, '; ' order by f.onde) as motivo
        from controle.safra_reprovada as f
        where (f.ano, f.distribuidora_id, f.import_id) = (i.ano, i.distribuidora_id, i.import_id)
    ) as r on true
    left join lateral (
        select
            'cópia sem ' || string_agg(e.camada, ', ' order by e.camada) || ', como declarado'
                as motivo
        from controle.entrega as e
        where (e.ano, e.distribuidora_id) = (i.ano, i.distribuidora_id) and e.ausencia_declarada
    ) as l on true
    left join (
        select ano, distribuidora_id, sum(quantidade_leads) as leads,
            sum(energia_anual_kwh) / 1e6 as gwh
        from intel_lead.safra_resumo
        group by ano, distribuidora_id
    ) as s using (ano, distribuidora_id)
    order by
        not i.retida and r.motivo is null and p.import_id is not distinct from i.import_id,
        p.publicada_em desc nulls first, 1
"""
BEFORE_DBT = """
    select distribuidora_id || '-' || ano, '',
        case when retida then 'retida' else 'pendente' end,
        null::timestamptz, null::bigint, null::double precision, coalesce(motivo_retencao, '')
    from controle.safra_importada order by 1
"""


def zone() -> ZoneInfo | None:
    """TZ, else the system's own zone, else (a server on UTC) São Paulo's."""
    if os.environ.get("TZ"):
        return None
    offset = datetime.now().astimezone().utcoffset()
    return None if offset else ZoneInfo("America/Sao_Paulo")


def local(moment: datetime | None) -> str:
    """``27/11 20:31``."""
    return f"{moment.astimezone(zone()):%d/%m/%y %H:%M}" if moment else ""


def safras(conn: psycopg.Connection) -> list[Line]:
    """All landed safras: what needs somebody first, then the newest."""
    built = conn.execute(
        "select to_regclass('controle.safra_reprovada') is not null"
        " and to_regclass('intel_lead.safra_resumo') is not null"
        " and to_regclass('intel_lead.safra_publicada') is not null"
    ).fetchone()[0]
    return [Line(*row) for row in conn.execute(QUERY if built else BEFORE_DBT).fetchall()]


def shown(found: list[Line]) -> Iterator[str]:
    """The table of safras, and why some are not published."""
    count = {state: sum(x.state == state for x in found) for state in ORDER}
    said = ", ".join(f"{n} {state}{'s' * (n > 1)}" for state, n in count.items() if n)
    yield f"Safras: {said or 'nenhuma'}"
    if found:
        heads = f"{'safra':<11}{'distribuidora':<22}{'situação':<11}{'desde':<15}"
        yield f"  {heads}{'leads':>9}{'GWh':>9}"
    for x in found[:SAFRAS]:
        leads = "" if x.leads is None else number(x.leads)
        gwh = "" if x.gwh is None else number(x.gwh, 1)
        name = textwrap.shorten(x.name, 21, placeholder="…")
        since = local(x.since)
        yield f"  {x.key:<11}{name:<22}{x.state:<11}{since:<15}{leads:>9}{gwh:>9}"
    if len(found) > SAFRAS:
        yield f"  … e mais {len(found) - SAFRAS}"
    told = [x for x in found if x.reason]
    for x in told[:REASONS]:
        yield from textwrap.wrap(
            f"{x.key} {x.name} {x.state}: {x.reason}".replace("  ", " "),
            WIDTH,
            initial_indent="  ! ",
            subsequent_indent="    ",
            max_lines=2,
            placeholder=" …",
        )
    if len(told) > REASONS:
        rest = ", ".join(x.key for x in told[REASONS:])
        yield from textwrap.wrap(
            f"e também: {rest}", WIDTH, initial_indent="  ! ", max_lines=1, placeholder=" …"
        )


def refused(conn: psycopg.Connection) -> Iterator[str]:
    """The newest files of which the latest try was refused, and why."""
    for file, when, why in files.refused(conn)[:SHOWN_FILES]:
        yield from textwrap.wrap(
            f"recusado em {local(when)}: {why if file in why else f'{file}: {why}'}",
            WIDTH,
            initial_indent="  ! ",
            subsequent_indent="    ",
            max_lines=2,
            placeholder=" …",
        )


ORDER = ("publicada", "pendente", "retida", "reprovada")


def runs(warehouse: psycopg.Connection) -> list[str]:
    """The newest of Dagster's runs, from its own table; none where it has none yet."""
    found = place.find(warehouse)
    query = sql.SQL(
        "select pipeline_name, run_id, status, start_time, end_time"
        " from {} order by id desc limit {}"
    ).format(sql.Identifier(found.schema, "runs"), RUNS)
    try:
        with psycopg.connect(dbname=found.database) as conn:
            rows = conn.execute(query).fetchall()
    except psycopg.Error:
        return []
    lines = []
    for job, run, status, start, end in rows:
        began = local(datetime.fromtimestamp(start, UTC)) if start else ""
        took = f"{end - start:.0f} s" if start and end else ""
        name = run_states.job_in_words(job)
        dead = run_states.dead(warehouse, run, status, start or 0)
        state = "interrompida" if dead else run_states.in_words(status)
        lines.append(f"  {began:<15}{name:<14}{state:<14}{took:>8}")
    return lines


def in_the_inbox() -> str:
    """What waits in the inbox and what it refused."""
    folder = inbox.folder()
    aside = (inbox.DONE, inbox.REFUSED, inbox.AICSS, inbox.BESIDE)
    waiting = [x for x in folder.iterdir() if x.name not in aside] if folder.is_dir() else []
    waiting += (folder / inbox.BESIDE).glob("*")
    refused = list((folder / inbox.REFUSED).glob("*.txt"))
    place = os.path.relpath(folder, CLONE)
    text = f"Caixa de entrada ({place}): {len(waiting)} à espera"
    return text + (f", {len(refused)} em recusado/ (leia os .txt)" if refused else "")


def mesh(conn: psycopg.Connection) -> str:
    """How many municípios have a polygon, and of which file the newest are."""
    count, file, when = conn.execute(
        "select (select count(*) from raw.malha_municipio), arquivo, recebido_em"
        " from (select) as t left join controle.malha_arquivo on true"
        " order by malha_id desc nulls last limit 1"
    ).fetchone()
    if not count:
        return "Malha dos municípios: nenhuma (.venv/bin/python -m loaders malha ARQUIVO)"
    text = f"Malha dos municípios: {number(count)} polígonos, {local(when)}, "
    return text + textwrap.shorten(str(file), WIDTH - len(text), placeholder="…")


def open_data(conn: psycopg.Connection) -> str:
    """How many datasets are landed, how many of them made up, and which has waited longest."""
    newest = conn.execute(
        "select distinct on (conjunto) conjunto, aterrissado_em, inventado"
        " from controle.aberto_arquivo order by conjunto, arquivo_id desc"
    ).fetchall()
    if not newest:
        return "Dados abertos: nenhum (.venv/bin/python -m loaders aberto mostra a lista)"
    oldest, when, _ = min(newest, key=itemgetter(1))
    made_up = sum(invented for *_, invented in newest)
    text = f"Dados abertos: {len(newest)} de {len(DATASETS)} conjuntos"
    text += f", {made_up} inventado{'s' * (made_up > 1)}" if made_up else ""
    return f"{text}; o mais antigo, {oldest}, é de {local(when)}"


def catalogue(conn: psycopg.Connection) -> str:
    """How many vintages ANEEL has, how many of them readers see, and what is followed."""
    read = bookkeeping.last_read(conn)
    if not read:
        return "Catálogo da ANEEL: nunca lido (.venv/bin/python -m loaders catalogo)"
    usual = [x for x in bookkeeping.known(conn) if x.current and not x.extraordinary]
    states = wanted.states(conn, usual)
    done = sum(state == wanted.Step.DONE for state in states.values())
    text = f"Catálogo da ANEEL: {len(usual)} bases, {done} publicadas; lido em {local(read)}"
    try:
        late = len(wanted.waiting(conn))
    except InvalidInput as error:
        return f"{text}; {error}"
    return f"{text}; seguidas por publicar: {late}" if wanted.followed() else text


def alerts(conn: psycopg.Connection) -> list[str]:
    """How many alerts are open, and what deliveries wait or were given up, each in one line."""
    if conn.execute("select to_regclass('app.entrega') is null").fetchone()[0]:
        return []
    opened, newest = conn.execute(
        "select count(*), max(aberto_em) from app.alerta where fechado_em is null"
    ).fetchone()
    waiting, dead, why = conn.execute(
        "select count(*) filter (where situacao = 'pendente'),"
        " count(*) filter (where situacao = 'morta'),"
        " (array_agg(destino || ', ' || ultimo_erro order by criada_em desc)"
        "  filter (where ultimo_erro is not null))[1]"
        " from app.entrega where situacao <> 'entregue'"
    ).fetchone()
    text = f"Alertas abertos: {opened}" + (f", o último em {local(newest)}" if opened else "")
    sent = f"Entregas: {waiting} pendentes, {dead} mortas" + (f" ({why})" if why else "")
    return [text, textwrap.shorten(sent, WIDTH, placeholder="…")]


def backup() -> tuple[str, bool]:
    """How old the newest backup is; whether that is old."""
    folder = CLONE / ".local" / "backups"
    found = [x.stat().st_mtime for x in folder.iterdir() if x.is_dir()] if folder.is_dir() else []
    if not found:
        return "Cópia de segurança: nenhuma", True
    age = datetime.now(UTC) - datetime.fromtimestamp(max(found), UTC)
    hours = age.total_seconds() / 3600
    when = f"{hours:.0f} h" if hours < 48 else f"{age.days} dias"  # noqa: PLR2004
    return f"Cópia de segurança: a última há {when}", age.days >= BACKUP_DAYS


def disk(conn: psycopg.Connection) -> str:
    """The database's size, and what is free where this clone lies."""
    (size,) = conn.execute("select pg_database_size(current_database())").fetchone()
    free = shutil.disk_usage(CLONE).free
    return f"Disco: o banco ocupa {number(size / 1e9, 1)} GB; {number(free / 1e9)} GB livres aqui"


def advice(found: list[Line], *, old_backup: bool) -> str:
    """The one command that is due."""
    states = {x.state: x.key for x in reversed(found)}
    if not found:
        return "make run BDGD=ARQUIVO        carrega uma BDGD; sem BDGD, um exemplo"
    if "pendente" in states:
        return "make build                   constrói e publica o que está pendente"
    if "retida" in states:
        return (
            f'.venv/bin/python -m loaders liberar {states["retida"]} --motivo "…"   se está certo'
        )
    if "reprovada" in states:
        return f"make build SAFRA={states['reprovada']}   depois de corrigir: tenta de novo"
    if old_backup:
        return "make backup                  guarda uma cópia de segurança"
    return "make dev                     abre o Dagster; make docs, o dicionário de dados"


def lines(conn: psycopg.Connection) -> Iterator[str]:
    """The whole screen."""
    found, (saved, old) = safras(conn), backup()
    yield from shown(found)
    yield from refused(conn)
    yield ""
    yield "Últimas execuções"
    yield from runs(conn) or ["  nenhuma"]
    yield ""
    yield in_the_inbox()
    yield mesh(conn)
    yield open_data(conn)
    yield from textwrap.wrap(catalogue(conn), WIDTH, subsequent_indent="  ")
    yield from alerts(conn)
    yield saved
    yield disk(conn)
    address = page.address()
    yield f"Página do Dagster: {address or 'não está aberta (make dev)'}"
    yield ""
    yield f"A seguir: {advice(found, old_backup=old)}"


def main() -> None:
    """Mostra a situação do armazém."""
    try:
        with closing(db.connect()) as conn:
            db.prepare(conn)
            print("\n".join(lines(conn)))
    except LoadError as error:
        raise SystemExit(f"falhou: {error}") from None
    except psycopg.OperationalError as error:
        raise SystemExit(f"falhou: {db.lost(error)}") from None


if __name__ == "__main__":
    app = usage.App()
    app.command()(main)
    usage.run(app)
