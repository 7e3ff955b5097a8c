"""What no loader can beat: GDAL reading alone, COPY alone of bytes made beforehand.

Belongs here: processes that landing.py measures. ``python -m scripts.bench.limits read|pack|copy``
"""

import sys
from pathlib import Path

import psycopg

from loaders.camadas import CAMADAS
from loaders.copia import empacotar
from loaders.particoes import Folha, criar_folha
from loaders.safra import Safra


def read(file: Path) -> None:
    """Read every column of the layers that are landed, as Arrow, and drop it."""
    import pyogrio

    for name in pyogrio.list_layers(file)[:, 0]:
        if name.removesuffix("_tab") in {c.nome for c in CAMADAS}:
            with pyogrio.open_arrow(file, layer=name, use_pyarrow=True) as (_, reader):
                for _ in reader:
                    pass


def pack(file: Path, folder: Path) -> None:
    """Write the very bytes that the loader gives to COPY, and the columns they are."""
    from loaders import geodatabase

    folder.mkdir(parents=True, exist_ok=True)
    with geodatabase.abrir(file) as source:
        for layer in source.camadas:
            if (source.safras[0], layer.nome) not in source.linhas:
                continue
            with (folder / f"{layer.nome}.csv").open("wb") as csv:
                for batch in source.lotes(layer):
                    packet = empacotar(batch, layer)
                    csv.write(packet.csv)
            (folder / f"{layer.nome}.columns").write_text(", ".join(packet.colunas))


def copy(folder: Path, safra: Safra) -> None:
    """COPY them into leaves like the loader's, in one transaction."""
    with psycopg.connect("") as conn:
        for layer in CAMADAS:
            if not (folder / f"{layer.nome}.csv").exists():
                continue
            leaf = Folha(layer, safra, 0)
            criar_folha(conn, leaf)
            columns = (folder / f"{layer.nome}.columns").read_text()
            command = (
                f"copy {leaf.nova.as_string(conn)} ({columns}) from stdin (format csv, freeze)"
            )
            with (
                (folder / f"{layer.nome}.csv").open("rb") as csv,
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
        copy(Path(path), Safra.de_chave(rest))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
