"""What a source offers the loader, whichever format it came in.

Belongs here: the contract between readers (geodatabase.py, csv_pj.py) and bdgd.py. Not: reading.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loaders.bdgd.layers import Layer
from loaders.bdgd.transfer import Batch
from loaders.safra import Safra


@dataclass(frozen=True)
class Source:
    """An opened file.

    Attributes:
        safras: what the file holds, in key order.
        layers: the layers that this kind of file is responsible for, present or not.
        rows: (safra, layer name) → rows that the file has, by another count than that of
            ``batches``; absent layers are not in it.
        remarks: layer name → what a person should know about that layer of the file.
        batches: streams one present layer.
        lacking: absent layers of which a person said that this copy has no data.
    """

    safras: tuple[Safra, ...]
    layers: tuple[Layer, ...]
    rows: dict[tuple[Safra, str], int]
    remarks: dict[str, tuple[str, ...]]
    batches: Callable[[Layer], Iterator[Batch]]
    lacking: frozenset[str] = frozenset()

    def present(self, layer: Layer) -> bool:
        """Whether the file has the layer, even without rows."""
        return any(name == layer.name for _, name in self.rows)
