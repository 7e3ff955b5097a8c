"""Law 2 at the door: rows in the file = rows that PostgreSQL took + rows kept as rejected.

Belongs here: the comparison of counts made by different code. Not here: moving or counting rows.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from loaders.bdgd.layers import Layer
from loaders.errors import InvalidInput
from loaders.safra import Safra

if TYPE_CHECKING:
    from loaders.bdgd.transfer import Totals

log = logging.getLogger(__name__)


def check_layer(
    layer: Layer, sums: "Mapping[Safra, Totals]", declared: Mapping[Safra, int], *, file: str
) -> None:
    """Compare what a layer's COPY gave with what the file said.

    Args:
        layer: the layer.
        sums: safra → its totals; ``landed`` is PostgreSQL's count.
        declared: safra → rows, as the source counted them without its parser.
        file: what messages call it.

    Raises:
        InvalidInput: a row is missing or too many, or every row of the layer was rejected.
    """
    for safra, found in sums.items():
        wanted = declared.get(safra, 0)
        if found.landed + found.rejected != wanted:
            raise InvalidInput(
                f"{file}: camada {layer.name}, safra {safra.key}: o arquivo tem {wanted} linhas,"
                f" mas {found.landed} entraram e {found.rejected} foram rejeitadas; nada"
                " mudou: baixe o arquivo de novo e, se repetir, avise quem mantém a carga"
            )
    why = sum((found.reasons for found in sums.values()), Counter[str]())
    if why and not any(found.landed for found in sums.values()):
        raise InvalidInput(
            f"{file}: camada {layer.name}: todas as {why.total()} linhas foram rejeitadas"
            f" ({_listed(why)}); corrija o arquivo ou peça outro à distribuidora"
        )
    for safra, found in sums.items():
        if found.reasons and not found.landed:
            log.warning(
                "%s: %s: todas as linhas da safra %s rejeitadas (%s)",
                file,
                layer.name,
                safra.key,
                _listed(found.reasons),
            )


def _listed(reasons: Counter[str]) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
