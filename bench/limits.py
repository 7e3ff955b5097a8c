"""What no loader can beat: GDAL reading alone, COPY alone of bytes made beforehand.

Belongs here: processes that landing.py measures. ``python -m bench.limits read|pack|copy``
"""

import sys
from pathlib import Path

import psycopg

from loaders.bdgd.layers import ALL_LAYERS
from loaders.bdgd.leaves import Leaf, create_leaf
from loaders.bdgd.transfer import pack_batch
from loaders.safra import Safra


def read(file: Path) -> None:
    """Read every column of the layers that are landed, as Arrow, and drop it."""
    import pyogrio

    for name in pyogrio.list_layers(file)[:, 0]:
        if name.removesuffix("_tab") in {c.name for c in ALL_LAYERS}:
            with pyogrio.open_arrow(file, layer=name, use_pyarrow=True) as (_, reader):
                for _ in reader:
                    pass


def pack(file: Path, folder: Path) -> None:
    """Write the very bytes that the loader gives to COPY, and the columns they are."""
    from loaders.bdgd import geodatabase

    folder.mkdir(parents=True, exist_ok=True)
    with geodatabase.opened(file) as source:
        for layer in source.layers:
            if (source.safras[0], layer.name) not in source.rows:
                continue
            with (folder / f"{layer.name}.csv").open("wb") as csv:
                for batch in source.batches(layer):
                    packet = pack_batch(batch, layer)
                    csv.write(packet.csv)
            (folder / f"{layer.name}.columns").write_text(", ".join(packet.columns))


def copy(folder: Path, safra: Safra) -> None:
    """COPY them into leaves like the loader's, in one transaction."""
    with psycopg.connect("") as conn:
        for layer in ALL_LAYERS:
            if not (folder / f"{layer.name}.csv").exists():
                continue
            leaf = Leaf(layer, safra, 0)
            create_leaf(conn, leaf)
            columns = (folder / f"{layer.name}.columns").read_text()
            command = f"copy {leaf.new.as_string(conn)} ({columns}) from stdin (format csv, freeze)"
            with (
                (folder / f"{layer.name}.csv").open("rb") as csv,
                conn.cursor() as cursor,
                cursor.copy(command) as stream,
            ):
                while block := csv.read(2**20):
                    stream.write(block)


def main(command: str, path: str, rest: str = "") -> None:
    """Run one of them."""
    if command == "read":
        read(Path(path))
    elif command == "pack":
        pack(Path(path), Path(rest))
    elif command == "copy":
        copy(Path(path), Safra.from_key(rest))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
