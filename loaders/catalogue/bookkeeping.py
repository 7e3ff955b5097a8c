"""What is kept of the catalogue: ``controle.dataset_catalogo``, its readings, what is archived.

Belongs here: writing them, asking what became of an item. Not here: reading a portal (hub.py,
ckan.py), files (archive.py), what is wanted (wanted.py).
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from loaders.catalogue import ckan, hub
from loaders.catalogue.hub import Reading
from loaders.catalogue.item import Item
from loaders.catalogue.titles import OddTitle
from loaders.errors import SourceFailure
from loaders.open_data.client import Client

_SHRUNK = 0.9
"""A reading with less than this share of what was listed before says of nothing that it is gone."""
SOURCES: dict[str, Callable[[Client], Reading]] = {"hub": hub.read, "ckan": ckan.read}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refreshed:
    """What a reading brought.

    Attributes:
        new: titles never seen before.
        changed: titles whose item has another title, date or size than before.
        gone: titles that a complete reading did not show any more.
        odd: title → why it is not known which base it is.
    """

    source: str
    items: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    odd: dict[str, str]
    remark: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        parts = [f"{self.items} itens"]
        parts += [f"{len(x)} {word}" for x, word in self._counts() if x]
        if self.odd:
            parts.append(f"{len(self.odd)} de título que não se lê")
        return f"{self.source}: {', '.join(parts)}" + (f"; {self.remark}" if self.remark else "")

    def _counts(self) -> list[tuple[tuple[str, ...], str]]:
        words = ("novos", "mudaram", "sumiram")
        return list(zip((self.new, self.changed, self.gone), words, strict=True))


@dataclass(frozen=True)
class Known:
    """An item and what became of it: a row of ``controle.catalogo_situacao``."""

    item_id: str
    source: str
    title: str
    kind: str
    url: str
    sigla: str | None
    distribuidora_id: int | None
    ano: int | None
    modelo: str | None
    sent_at: datetime | None
    fault: str | None
    modified_at: datetime | None
    size: int | None
    listed: bool
    extraordinary: bool
    current: bool
    sha256: str | None
    path: str | None
    bytes: int | None
    changed_since: bool
    landed_year: int | None
    landed_at: datetime | None
    held: bool
    last_error: str | None
    refused: bool

    @property
    def key(self) -> str:
        """The safra that the title predicts; of a CSV, its name."""
        return f"{self.distribuidora_id}-{self.ano}" if self.ano else self.title

    @property
    def landed_key(self) -> str | None:
        """The safra that its content is, once it has landed."""
        year = self.landed_year
        return f"{self.distribuidora_id}-{year}" if year else None

    @property
    def weight(self) -> int:
        """Its bytes, as far as anybody knows."""
        return self.bytes or self.size or 0


_COLUMNS = {
    "source": "fonte",
    "title": "titulo",
    "kind": "tipo",
    "sent_at": "enviado_em",
    "fault": "ressalva",
    "modified_at": "modificado_em",
    "size": "tamanho_bytes",
    "listed": "no_catalogo",
    "extraordinary": "extraordinaria",
    "current": "vigente",
    "path": "caminho",
    "changed_since": "mudou_depois",
    "landed_year": "ano_aterrissado",
    "landed_at": "aterrissada_em",
    "held": "retida",
    "last_error": "tentativa_erro",
    "refused": "recusada",
}
"""Field of Known → its column, where that is not its name."""


def refresh(conn: psycopg.Connection, client: Client) -> dict[str, Refreshed | SourceFailure]:
    """Read each source: what it brought, or why it did not; one that fails stops no other."""
    found: dict[str, Refreshed | SourceFailure] = {}
    for source, read in SOURCES.items():
        try:
            found[source] = keep(conn, source, read(client))
        except SourceFailure as failure:
            found[source] = failure
    return found


def keep(conn: psycopg.Connection, source: str, reading: Reading) -> Refreshed:
    """Keep a reading whole, in one transaction."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead catalogo', 0))")
        (now,) = conn.execute("select clock_timestamp()").fetchone()
        before = _listed(conn, source)
        odd, new, changed = {}, [], []
        for item in reading.items:
            fault = _write(conn, item, now)
            if fault:
                odd[item.title] = fault
            if item.item_id not in before:
                new.append(item.title)
            elif before[item.item_id] != (item.title, item.modified_at, item.size):
                changed.append(item.title)
        shown = {item.item_id for item in reading.items}
        missing = [title for i, (title, *_) in before.items() if i not in shown]
        believed = reading.complete and len(shown & before.keys()) >= _SHRUNK * len(before)
        remark = reading.remark
        if reading.complete and not believed:
            remark = f"faltam {len(missing)} dos {len(before)} itens de antes; não dou por sumidos"
        conn.execute(
            "insert into controle.dataset_catalogo_leitura"
            " (fonte, lido_em, itens, novos, completa, observacoes)"
            " values (%s, %s, %s, %s, %s, %s)",
            [source, now, len(shown), len(new), believed, remark or None],
        )
    gone = tuple(missing) if believed else ()
    return Refreshed(source, len(shown), tuple(new), tuple(changed), gone, odd, remark)


def _listed(conn: psycopg.Connection, source: str) -> dict[str, tuple[object, ...]]:
    """Item → title, date and size, of those that the last complete reading left listed."""
    rows = conn.execute(
        "select item_id, titulo, modificado_em, tamanho_bytes from controle.catalogo_situacao"
        " where fonte = %s and no_catalogo",
        [source],
    )
    return {item_id: tuple(rest) for item_id, *rest in rows}


def _write(conn: psycopg.Connection, item: Item, now: datetime) -> str:
    """Keep an item as it is now; why its title is not read, or nothing."""
    read = item.read() if item.kind == "geodatabase" else None
    title = None if isinstance(read, OddTitle) else read
    fault = str(read) if isinstance(read, OddTitle) else ""
    if fault and not {"bdgd", "sig-r"} & {tag.lower() for tag in item.tags}:
        fault += "; sem a etiqueta BDGD"
    conn.execute(
        """
        insert into controle.dataset_catalogo as c (
            item_id, fonte, titulo, tipo, url, sigla, distribuidora_id, data_base, modelo,
            enviado_em, ressalva, modificado_em, tamanho_bytes, etiquetas, visto_primeiro_em,
            visto_por_ultimo_em
        ) values (
            %(item_id)s, %(source)s, %(titulo)s, %(kind)s, %(url)s, %(sigla)s, %(dist)s, %(base)s,
            %(modelo)s, %(enviado)s, %(ressalva)s, %(modificado)s, %(tamanho)s, %(etiquetas)s,
            %(now)s, %(now)s
        )
        on conflict (item_id) do update set
            titulo = excluded.titulo, url = excluded.url, sigla = excluded.sigla,
            distribuidora_id = excluded.distribuidora_id, data_base = excluded.data_base,
            modelo = excluded.modelo, enviado_em = excluded.enviado_em,
            ressalva = excluded.ressalva, modificado_em = excluded.modificado_em,
            tamanho_bytes = excluded.tamanho_bytes, etiquetas = excluded.etiquetas,
            visto_por_ultimo_em = excluded.visto_por_ultimo_em
        """,
        {
            "item_id": item.item_id,
            "source": item.source,
            "titulo": item.title,
            "kind": item.kind,
            "url": item.url,
            "sigla": title and title.sigla,
            "dist": title and title.distribuidora_id,
            "base": title and title.data_base,
            "modelo": title and title.modelo,
            "enviado": title and title.sent_at,
            "ressalva": fault or None,
            "modificado": item.modified_at,
            "tamanho": item.size,
            "etiquetas": list(item.tags),
            "now": now,
        },
    )
    return fault


def known(conn: psycopg.Connection) -> list[Known]:
    """All items, newest base first, of a base the version that counts first."""
    columns = ", ".join(f'{_COLUMNS.get(f, f)} as "{f}"' for f in Known.__dataclass_fields__)
    with conn.cursor(row_factory=class_row(Known)) as cursor:
        return cursor.execute(
            f"select {columns} from controle.catalogo_situacao"  # noqa: S608 - our own names
            " order by data_base desc nulls last, distribuidora_id, vigente desc,"
            " enviado_em desc nulls last, item_id"
        ).fetchall()


def last_read(conn: psycopg.Connection) -> datetime | None:
    """When the Hub was last read, whole or not; None: never."""
    (when,) = conn.execute(
        "select max(lido_em) from controle.dataset_catalogo_leitura where fonte = 'hub'"
    ).fetchone()
    return when


def archived(
    conn: psycopg.Connection, item: Known, *, sha256: str, path: Path, size: int, seconds: float
) -> None:
    """Note that an item's content lies in the archive."""
    with conn.transaction():
        conn.execute(
            "insert into controle.dataset_arquivo"
            " (item_id, sha256, caminho, bytes, segundos, modificado_em)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (item_id, sha256) do update"
            " set caminho = excluded.caminho, modificado_em = excluded.modificado_em,"
            " buscado_em = clock_timestamp()",
            [item.item_id, sha256, str(path), size, seconds, item.modified_at],
        )
        conn.execute(
            "update controle.dataset_catalogo set tentativa_em = clock_timestamp(),"
            " tentativa_erro = null where item_id = %s",
            [item.item_id],
        )


def failed(
    conn: psycopg.Connection, item_ids: Iterable[str], reason: str, *, refused: str | None = None
) -> None:
    """Note why an item did not come, or, with its hash, why what came of it does not land."""
    conn.execute(
        "update controle.dataset_catalogo set tentativa_em = clock_timestamp(),"
        " tentativa_erro = %s, recusado_sha256 = coalesce(%s, recusado_sha256)"
        " where item_id = any(%s)",
        [reason, refused, list(item_ids)],
    )


@dataclass(frozen=True)
class Speed:
    """Seconds, as measured here; None where nothing was.

    Attributes:
        fetched_byte_s: a byte, to come.
        byte_s: a byte, from its landing to its publication.
        least_s: the shortest batch.
    """

    fetched_byte_s: float | None
    byte_s: float | None = None
    least_s: float | None = None


def speed(conn: psycopg.Connection) -> Speed:
    """How fast vintages became public here.

    Safras of one batch overlap: the time is that in which any of them was under way.
    """
    (fetching,) = conn.execute(
        "select sum(segundos) / sum(bytes) from controle.dataset_arquivo"
    ).fetchone()
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return Speed(fetching)
    return Speed(
        fetching,
        *conn.execute(
            """
        with safra as (
            select s.bytes, min(i.data_inicio) as inicio, p.publicada_em as fim
            from (
                select distinct distribuidora_id, ano_aterrissado as ano,
                    coalesce(bytes, tamanho_bytes) as bytes
                from controle.catalogo_situacao where ano_aterrissado is not null
            ) as s
            inner join intel_lead.safra_publicada as p using (ano, distribuidora_id)
            inner join controle.entrega as e using (ano, distribuidora_id)
            inner join intel_lead.import_status as i on e.import_id = i.import_id
            group by s.bytes, p.ano, p.distribuidora_id, p.publicada_em
            having p.publicada_em between min(i.data_inicio) and min(i.data_inicio) + interval '6h'
        ),

        trecho as (select unnest(range_agg(tstzrange(inicio, fim))) as quando from safra)

        select
            sum(extract(epoch from upper(quando) - lower(quando)))::float8
            / nullif((select sum(bytes) from safra), 0)::float8,
            min(extract(epoch from upper(quando) - lower(quando)))::float8
        from trecho
        """
        ).fetchone(),
    )
