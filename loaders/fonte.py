"""What a source offers the loader, whichever format it came in.

Belongs here: the contract between readers (geodatabase.py, csv_pj.py) and bdgd.py. Not: reading.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loaders.camadas import Camada
from loaders.copia import Lote
from loaders.safra import Safra


@dataclass(frozen=True)
class Fonte:
    """An opened file.

    Attributes:
        safras: what the file holds, in key order.
        camadas: the layers that this kind of file is responsible for, present or not.
        linhas: (safra, layer name) → rows that the file has, by another count than that of
            ``lotes``; absent layers are not in it.
        observacoes: layer name → what a person should know about that layer of the file.
        lotes: streams one present layer.
    """

    safras: tuple[Safra, ...]
    camadas: tuple[Camada, ...]
    linhas: dict[tuple[Safra, str], int]
    observacoes: dict[str, tuple[str, ...]]
    lotes: Callable[[Camada], Iterator[Lote]]

    def presente(self, camada: Camada) -> bool:
        """Whether the file has the layer, even without rows."""
        return any(nome == camada.nome for _, nome in self.linhas)
