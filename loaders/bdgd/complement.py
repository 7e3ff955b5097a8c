"""A ``_pj`` CSV beside a geodatabase: its rows in raw.complemento, and which unit each is of.

Belongs here: that table, finding the units (complement.sql). Not here: reading a CSV (csv_pj.py),
the order of a landing (landing.py), what a unit's coordinate is used for (dbt). A row is of the
unit that has its COD_ID, in either case, and its PN_CON, PAC or energy as proof; else of the one
unit that has its PN_CON, its PAC and its twelve months. Of two units it is of none.
"""

from collections.abc import Iterable
from importlib import resources

import psycopg
from psycopg import sql

from loaders.bdgd.layers import COMPLEMENT, UC_LAYERS, Layer
from loaders.bdgd.leaves import Leaf, create_leaf, existing_leaves, swap
from loaders.errors import InvalidInput
from loaders.safra import Safra

BY = {"cod_id": "por COD_ID", "pn_con_pac_energia": "por PN_CON, PAC e energia"}
"""``correspondencia`` in a person's words."""


def open_to(conn: psycopg.Connection, layer: Layer) -> set[str]:
    """Keys of the landed safras that have rows of a layer."""
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada as s"
        " join pg_class as c on c.relname = format('%%s_%%s_%%s', %s::text, distribuidora_id, ano)"
        " where c.relnamespace = 'raw_safra'::regnamespace and c.reltuples <> 0",
        [layer.table],
    )
    return {key for (key,) in rows}


def keep(conn: psycopg.Connection, landed: Leaf, *, rows: int) -> str:
    """Make a leaf of landed rows one layer of its safra's complement; says whose units they are.

    Inside the landing's transaction. The rows of the other layers stay.

    Args:
        conn: connection.
        landed: a CSV's rows, as its layer has them; gone afterwards.
        rows: how many.

    Raises:
        InvalidInput: the safra has gone meanwhile, or rows were lost on the way.
    """
    safra, layer = landed.safra, _layer(landed.layer.name.removeprefix("COMPLEMENTO_"))
    if safra.key not in open_to(conn, layer):
        raise InvalidInput(f"safra {safra.key}: não está mais no armazém; nada mudou")
    months = sql.SQL(", ").join(_energy(layer))
    _read_old(conn, safra)
    conn.execute("delete from complemento_lido where origem = %s", [layer.name])
    taken = conn.execute(
        sql.SQL(
            "insert into complemento_lido (ano, distribuidora_id, import_id, linha, origem, cod_id,"
            " pn_con, pac, sit_ativ, lgrd, brr, cep, energia, point_x, point_y)"
            " select ano, distribuidora_id, import_id, linha, {}, cod_id, pn_con, pac, sit_ativ,"
            " lgrd, brr, cep, array[{}], point_x, point_y from {}"
        ).format(layer.name, months, landed.new)
    ).rowcount
    conn.execute(sql.SQL("drop table {}").format(landed.new))
    found = _find_units(conn, Leaf(COMPLEMENT, safra, landed.import_id))
    if taken != rows or found[layer.name][0] != rows:
        raise InvalidInput(
            f"complemento {layer.name}, safra {safra.key}: de {rows} linhas ficaram"
            f" {found[layer.name][0]}; nada mudou: avise quem mantém a carga"
        )
    return found[layer.name][1]


def renew(conn: psycopg.Connection, safra: Safra, import_id: int) -> dict[str, str]:
    """Find the units of a safra's complement again: its layers have new rows.

    Returns:
        layer → whose units its complement's rows are; nothing of a layer without one.
    """
    leaf = Leaf(COMPLEMENT, safra, import_id)
    if not existing_leaves(conn, [leaf.name]):
        create_leaf(conn, leaf)
        swap(conn, [leaf])
        return {}
    query = sql.SQL("select exists (select from {})").format(leaf.published)
    if not conn.execute(query).fetchone()[0]:
        return {}
    _read_old(conn, safra)
    return {layer: said for layer, (_, said) in _find_units(conn, leaf).items()}


def _layer(name: str) -> Layer:
    return next(layer for layer in UC_LAYERS if layer.name == name)


def _energy(layer: Layer) -> Iterable[sql.Composable]:
    """Each month over the tariff posts; null where it has none."""
    for month in range(1, 13):
        parts = [sql.Identifier(f"{prefix}_{month:02d}") for prefix in layer.energy]
        posts = sql.SQL(" + ").join(sql.SQL("coalesce({}, 0)").format(part) for part in parts)
        yield sql.SQL("case when num_nonnulls({}) > 0 then {} end").format(
            sql.SQL(", ").join(parts), posts
        )


def _read_old(conn: psycopg.Connection, safra: Safra) -> None:
    """What the safra has as complement, in a temporary table."""
    conn.execute("drop table if exists pg_temp.complemento_lido")
    conn.execute(
        sql.SQL(
            "create temporary table complemento_lido on commit drop as"
            " select * from raw.complemento where ano = {} and distribuidora_id = {}"
        ).format(safra.ano, safra.distribuidora_id)
    )


def _find_units(conn: psycopg.Connection, leaf: Leaf) -> dict[str, tuple[int, str]]:
    """Swap in a leaf of the rows read, each with its unit; layer → rows, what was found."""
    text = resources.files("loaders.bdgd").joinpath("complement.sql").read_text(encoding="utf-8")
    create_leaf(conn, leaf)
    conn.execute("analyze complemento_lido")
    for layer in UC_LAYERS:
        conn.execute(
            sql.SQL(text).format(
                leaf=leaf.new,
                layer=layer.name,
                units=Leaf(layer, leaf.safra, leaf.import_id).published,
                months=sql.SQL(", ").join(_energy(layer)),
            )
        )
    conn.execute(sql.SQL("analyze {}").format(leaf.new))
    counted = conn.execute(
        sql.SQL(
            "select origem, correspondencia, motivo, count(*) from {} group by 1, 2, 3"
            " order by 1, 4 desc"
        ).format(leaf.new)
    ).fetchall()
    swap(conn, [leaf])
    return {
        layer.name: _said(layer.name, [row[1:] for row in counted if row[0] == layer.name])
        for layer in UC_LAYERS
        if any(row[0] == layer.name for row in counted)
    }


def _said(layer: str, counted: list[tuple[str | None, str | None, int]]) -> tuple[int, str]:
    rows = sum(n for *_, n in counted)
    matched = sum(n for how, _, n in counted if how)
    parts = [f"{n} {BY[how]}" for how, _, n in counted if how]
    lost = [f"{n} {why}" for _, why, n in counted if why]
    text = (
        f"complemento de {layer}: {matched} de {rows} linhas ({matched / rows:.1%}) acham a sua"
        f" unidade{': ' if parts else ''}{', '.join(parts)}"
    ).replace(".", ",", 1)
    return rows, text + (f"; sem unidade: {', '.join(lost)}" if lost else "")
