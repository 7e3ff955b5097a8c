"""The steps of enrichment that are made here: what the registry says of a safra, and addresses.

Belongs here: comparing units' addresses with the registry's (addresses.sql), noting of what each
safra's steps are made. Not here: who is a candidate (dbt), taking a step back (steps.py).
LGRD may name people: it is compared under the loader's role, and nothing of its text is written.
"""

from collections.abc import Callable
from importlib import resources

import psycopg

from loaders.bdgd.layers import UC_LAYERS

_ACCENTS = "'ÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÇÑ', 'AAAAAEEEEIIIIOOOOOUUUUCN'"
_LAYER = """
    select '{layer}' as origem, coalesce(nullif(btrim(cod_id), ''), 'linha-' || linha) as cod_id,
        cep, lgrd, sit_ativ, linha
    from raw.{table}
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s and clas_sub not like 'RE%%'
"""
_SEEN = """
    select coalesce((select max(entrega_id) from controle.empresa_entrega), 0)
"""
_STALE = """
    select i.ano, i.distribuidora_id, i.import_id || ' ' || %(newest)s as visto
    from controle.safra_importada as i
    where not exists (
        select from controle.enriquecimento as e
        where e.ano = i.ano and e.distribuidora_id = i.distribuidora_id and e.etapa = 'empresa'
            and e.visto = i.import_id || ' ' || %(newest)s
    ) order by 1, 2
"""
_GONE = """
    delete from {table} as t where not exists (
        select from controle.safra_importada as i
        where i.ano = t.ano and i.distribuidora_id = t.distribuidora_id
    )
"""
_TOWN = (
    "select mun from raw.{table} where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s"
)
_DELIVERIES = """
    select coalesce(string_agg(distinct m.entrega_id::text, ' '), '')
    from ({towns}) as u
    inner join controle.empresa_municipio as m on btrim(u.mun) = m.municipio_id::text
"""
_CLEAR = """
    delete from raw.empresa_semelhanca
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
"""
_SIGN = """
    select
        count(*) || ' ' || md5(coalesce(string_agg(s::text, ' ' order by origem, cod_id, cnpj), ''))
    from raw.empresa_semelhanca as s
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
"""
_NOTE = """
    insert into controle.enriquecimento (etapa, ano, distribuidora_id, sinal, visto)
    values (%(step)s, %(ano)s, %(distribuidora_id)s, %(sign)s, %(seen)s)
    on conflict (etapa, ano, distribuidora_id) do update
    set sinal = excluded.sinal, visto = excluded.visto, mudada_em = clock_timestamp()
"""


def compare(conn: psycopg.Connection, *, say: Callable[[str], None]) -> list[str]:
    """Compare the addresses of the safras whose file or registry changed since; a transaction each.

    Returns:
        keys of the safras that were looked at.
    """
    (newest,) = conn.execute(_SEEN).fetchone()
    if not newest:
        return []
    for table in ("controle.enriquecimento", "raw.empresa_semelhanca"):
        conn.execute(_GONE.format(table=table))
    stale = conn.execute(_STALE, {"newest": newest}).fetchall()
    for year, distributor, seen in stale:
        with conn.transaction():
            pairs = _compare(conn, {"ano": year, "distribuidora_id": distributor, "seen": seen})
        if pairs:
            say(f"safra {distributor}-{year}: {pairs} pares de unidade e empresa no CEP e número")
    return [f"{distributor}-{year}" for year, distributor, _ in stale]


def _compare(conn: psycopg.Connection, safra: dict[str, object]) -> int:
    """Compare one safra's addresses and note what its steps are made of; how many pairs."""
    tables = [layer.table for layer in UC_LAYERS]
    towns = " union ".join(_TOWN.format(table=table) for table in tables)
    (deliveries,) = conn.execute(_DELIVERIES.format(towns=towns), safra).fetchone()
    conn.execute(_CLEAR, safra)
    layers = " union all ".join(_LAYER.format(layer=c.name, table=c.table) for c in UC_LAYERS)
    text = resources.files("loaders.companies").joinpath("addresses.sql").read_text("utf-8")
    for name, column in (("{plain_lgrd}", "lgrd"), ("{plain_street}", "logradouro")):
        text = text.replace(name, f"translate(upper({column}), {_ACCENTS})")
    pairs = conn.execute(text.replace("{layers}", layers), safra).rowcount
    (sign,) = conn.execute(_SIGN, safra).fetchone()
    conn.execute(_NOTE, safra | {"step": "empresa", "sign": deliveries})
    if pairs:
        conn.execute(_NOTE, safra | {"step": "endereco", "sign": sign})
    else:
        conn.execute(
            "delete from controle.enriquecimento where etapa = 'endereco' and ano = %(ano)s"
            " and distribuidora_id = %(distribuidora_id)s and not desfeita",
            safra,
        )
    return pairs
