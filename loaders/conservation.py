"""Law 2 at the door: rows in the file = rows that PostgreSQL has + rows that it keeps as rejected.

Belongs here: counts made by PostgreSQL, compared with the source's own. Not here: moving rows.
"""

import logging
from collections import Counter
from collections.abc import Mapping

import psycopg
from psycopg import sql

from loaders.camadas import Camada
from loaders.erros import EntradaInvalida
from loaders.particoes import Folha
from loaders.safra import Safra

log = logging.getLogger(__name__)


def check_layer(
    conn: psycopg.Connection,
    layer: Camada,
    leaves: Mapping[Safra, Folha],
    declared: Mapping[Safra, int],
    *,
    file: str,
) -> None:
    """Compare what a layer's leaves and raw.rejeitado hold with what the file said.

    Args:
        conn: connection, in the transaction that filled them.
        layer: the layer.
        leaves: safra → the leaf that was filled.
        declared: safra → rows, as the source counted them before any was read.
        file: what messages call it.

    Raises:
        EntradaInvalida: a row is missing or too many, or every row of the layer was rejected.
    """
    landed, why = 0, Counter[str]()
    for safra, leaf in leaves.items():
        (here,) = conn.execute(sql.SQL("select count(*) from {}").format(leaf.nova)).fetchone() or (
            0,
        )
        reasons = _reasons(conn, layer, leaf)
        rejected, wanted = reasons.total(), declared.get(safra, 0)
        if here + rejected != wanted:
            raise EntradaInvalida(
                f"{file}: camada {layer.nome}, safra {safra.chave}: o arquivo tem {wanted} linhas,"
                f" mas {here} entraram e {rejected} foram rejeitadas; nada mudou: baixe o arquivo"
                " de novo e, se repetir, avise quem mantém a carga"
            )
        if rejected and not here:
            log.warning(
                "%s: %s: todas as linhas da safra %s rejeitadas (%s)",
                file,
                layer.nome,
                safra.chave,
                _listed(reasons),
            )
        landed += here
        why += reasons
    if why and not landed:
        raise EntradaInvalida(
            f"{file}: camada {layer.nome}: todas as {why.total()} linhas foram rejeitadas"
            f" ({_listed(why)}); corrija o arquivo ou peça outro à distribuidora"
        )


def _reasons(conn: psycopg.Connection, layer: Camada, leaf: Folha) -> Counter[str]:
    """Reason → rejected rows of one leaf's import."""
    rows = conn.execute(
        "select motivo, count(*) from raw.rejeitado"
        " where (ano, distribuidora_id, origem, import_id) = (%s, %s, %s, %s) group by motivo",
        [leaf.safra.ano, leaf.safra.distribuidora_id, layer.nome, leaf.import_id],
    )
    return Counter(dict(rows.fetchall()))


def _listed(reasons: Counter[str]) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
