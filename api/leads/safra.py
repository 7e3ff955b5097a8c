"""The safra that a lead's key names. Not here: whether there is such a lead."""

from uuid import UUID

import psycopg


def safra_of(conn: psycopg.Connection, uc_id: UUID) -> tuple[int, int] | None:
    """Year and distributor; None: it is no key of ours, whose digits are in range."""
    query = "select marts.ano_do_id(%s), marts.distribuidora_do_id(%s)"
    try:
        return conn.execute(query, [uc_id, uc_id]).fetchone()
    except psycopg.DataError:
        return None
