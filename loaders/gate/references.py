"""Which contents a safra has, and with which others it is compared.

Belongs here: leaves by their state (landed, accepted, set aside). Not here: comparing them
(comparison.py), changing that state (hold.py). Only contents of one kind are compared: a CSV of
legal persons is no truncated geodatabase.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from loaders.bdgd.layers import PONNOT, UC_LAYERS
from loaders.bdgd.leaves import ASIDE
from loaders.gate.comparison import Finding, Reference, compare
from loaders.gate.units import Content
from loaders.safra import Safra

LAYERS = [layer.name for layer in (*UC_LAYERS, PONNOT)]
REPLACED = "substituido"
"""``Reference.key`` of the accepted content of the same safra."""


@dataclass(frozen=True)
class Landed:
    """What a safra holds of each layer that landed.

    Attributes:
        complete: whether it came as a geodatabase.
        current: layer → its leaf.
        accepted: layer → the leaf of the content that the gate has not refused.
        aside: layer → the leaf that waits for the verdict on what replaced it.
        absent: layers that the file does not have.
        lacking: those of them that a person said this copy lacks.
    """

    complete: bool
    current: Mapping[str, sql.Identifier]
    accepted: Mapping[str, sql.Identifier]
    aside: Mapping[str, sql.Identifier]
    absent: frozenset[str]
    lacking: frozenset[str]


def landed(conn: psycopg.Connection, safra: Safra) -> Landed | None:
    """What a safra holds; None where it has not landed."""
    imported = conn.execute(
        "select retida, exists (select from intel_lead.import_status as i"
        "  where (i.ano, i.distribuidora_id) = (s.ano, s.distribuidora_id)"
        "   and i.camada = 'PONNOT' and i.status = 'completed')"
        " from controle.safra_importada as s where (ano, distribuidora_id) = (%s, %s)",
        [safra.ano, safra.distribuidora_id],
    ).fetchone()
    if not imported:
        return None
    held, has_points = imported
    deliveries = {
        layer: (complete, accepted, present, lacking)
        for layer, complete, accepted, present, lacking in conn.execute(
            "select camada, completa, aceita, presente, ausencia_declarada from controle.entrega"
            " where (ano, distribuidora_id) = (%s, %s) order by aceita desc",
            [safra.ano, safra.distribuidora_id],
        )
    }
    names = {layer: _leaf(layer, safra) for layer in LAYERS}
    there = {
        name
        for (name,) in conn.execute(
            "select relname from pg_class"
            " where relnamespace = 'raw_safra'::regnamespace and relname = any(%s)",
            [[*names.values(), *(name + ASIDE for name in names.values())]],
        )
    }
    # Before deliveries were measured, a safra was landed whole, or layer by layer from CSVs.
    complete = any(d[0] for d in deliveries.values()) if deliveries else has_points
    ours = [layer for layer in names if not deliveries or layer in deliveries]
    current = {layer: _name(names[layer]) for layer in ours if names[layer] in there}
    aside = {layer: _name(f"{n}{ASIDE}") for layer, n in names.items() if f"{n}{ASIDE}" in there}
    taken = {
        layer: leaf
        for layer, leaf in current.items()
        if (deliveries[layer][1] if layer in deliveries else not held)
    }
    absent = frozenset(layer for layer, delivery in deliveries.items() if not delivery[2])
    lacking = frozenset(layer for layer, delivery in deliveries.items() if delivery[3])
    return Landed(complete, current, taken | aside, aside, absent, lacking)


def _leaf(layer: str, safra: Safra) -> str:
    return f"{layer.lower()}_{safra.distribuidora_id}_{safra.ano}"


def _name(leaf: str) -> sql.Identifier:
    return sql.Identifier("raw_safra", leaf)


def references(
    conn: psycopg.Connection,
    safra: Safra,
    layers: Collection[str],
    *,
    complete: bool,
    replaced: Mapping[str, sql.Identifier],
) -> Iterator[Reference]:
    """The content that is replaced, and the nearest vintages before and after, if accepted.

    Beyond one that lacks a layer because its copy does, the nearest that has it too.
    """
    if replaced:
        yield Reference("o conteúdo que substitui", REPLACED, 0, Content(replaced))
    years = [
        year
        for (year,) in conn.execute(
            "select ano from controle.safra_importada where distribuidora_id = %s and ano <> %s",
            [safra.distribuidora_id, safra.ano],
        )
    ]
    before = sorted((year for year in years if year < safra.ano), reverse=True)
    for later, side in ((False, before), (True, sorted(y for y in years if y > safra.ano))):
        unseen = frozenset(LAYERS)
        for year in side:
            other = Safra.from_key(f"{safra.distribuidora_id}-{year}")
            there = landed(conn, other)
            leaves = {
                layer: leaf
                for layer, leaf in (there.accepted if there else {}).items()
                if complete or layer in layers
            }
            if there and there.complete == complete and leaves and unseen - there.lacking:
                distance = abs(year - safra.ano)
                name = f"a safra {other.key}"
                yield Reference(name, str(year), distance, Content(leaves), later=later)
                unseen &= there.lacking
            if not unseen:
                break


def compare_all(
    conn: psycopg.Connection,
    safra: Safra,
    content: Content,
    *,
    complete: bool,
    replaced: Mapping[str, sql.Identifier],
) -> list[Finding]:
    """The findings of a content against every reference. Inside a transaction."""
    found = references(conn, safra, content.leaves, complete=complete, replaced=replaced)
    return [finding for reference in found for finding in compare(conn, content, reference)]


def compare_landing(
    conn: psycopg.Connection,
    safra: Safra,
    leaves: Mapping[str, sql.Identifier],
    *,
    complete: bool,
    absent: frozenset[str],
    lacking: frozenset[str],
) -> list[Finding]:
    """The same for a delivery before its leaves are swapped in; ``leaves`` are the new ones."""
    there = landed(conn, safra)
    same_kind = there is not None and there.complete == complete
    replaced = {
        layer: leaf
        for layer, leaf in (there.accepted if there and same_kind else {}).items()
        if layer in leaves
    }
    ours = {layer: leaf for layer, leaf in leaves.items() if layer in LAYERS}
    content = Content(ours, absent, lacking)
    return compare_all(conn, safra, content, complete=complete, replaced=replaced)


def to_keep(conn: psycopg.Connection, safra: Safra) -> set[str]:
    """Names of leaves that a landing must set aside: accepted, and the only copy of it."""
    there = landed(conn, safra)
    if there is None:
        return set()
    return {_leaf(layer, safra) for layer in there.accepted if layer not in there.aside}
