"""Many tiny geodatabases, made in a process of safras.py's: ``… many FOLDER HOW_MANY``.

Belongs here: which ones. Not here: what is in one (loaders/synthetic/writer.py).
"""

import sys
from pathlib import Path

from bench.safras import FIRST, TINY, YEARS
from bench.warehouse import ANO
from loaders.synthetic.recipe import USUAL
from loaders.synthetic.writer import generate


def main(folder: Path, how_many: int) -> None:
    """Make those that are missing: distributors from FIRST on, of YEARS years in turn.

    One vintage each: at this size the next may look truncated, and be withheld.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(how_many):
        distribuidora, ano = FIRST + number, ANO - number % YEARS
        path = folder / f"sintetico_{distribuidora}_{ano}.gdb"
        if not path.exists():
            generate(
                path,
                ucs=TINY,
                distribuidora=distribuidora,
                ano=ano,
                seed=distribuidora,
                faults=USUAL,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
