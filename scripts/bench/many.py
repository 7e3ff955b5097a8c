"""Many tiny geodatabases, made in a process of safras.py's: ``… many FOLDER HOW_MANY``.

Belongs here: which ones. Not here: what is in one (loaders/sintetico.py).
"""

import sys
from pathlib import Path

from loaders.sintetico import PADRAO, gerar
from scripts.bench.safras import FIRST, TINY, YEARS
from scripts.bench.warehouse import ANO


def main(folder: Path, how_many: int) -> None:
    """Make those that are missing: distributors from FIRST on, of YEARS years in turn.

    One vintage each: at this size the next may look truncated, and be withheld.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(how_many):
        distribuidora, ano = FIRST + number, ANO - number % YEARS
        path = folder / f"sintetico_{distribuidora}_{ano}.gdb"
        if not path.exists():
            gerar(
                path,
                ucs=TINY,
                distribuidora=distribuidora,
                ano=ano,
                semente=distribuidora,
                defeitos=PADRAO,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
