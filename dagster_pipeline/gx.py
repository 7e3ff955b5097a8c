"""Great Expectations, imported: 3 s of a gate that needs 1, unless it is done with care.

Belongs here: how and when it is imported. Not here: what it is asked (expectativas.py).
"""

import gc
import logging
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from threading import Lock, Thread
from types import ModuleType

ADIADOS = ("altair", "scipy", "scipy.stats")
"""What it imports for plots and for statistics that no rule of ours uses: a third of its time."""
_UM_POR_VEZ = Lock()


class _Adiante(MetaPathFinder):
    """Finds the modules of `ADIADOS` as any other, but has them executed on first use."""

    def find_spec(
        self, nome: str, caminho: Sequence[str] | None, alvo: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As PathFinder."""
        achado = PathFinder.find_spec(nome, caminho, alvo) if nome in ADIADOS else None
        if achado and achado.loader:
            achado.loader = LazyLoader(achado.loader)
        return achado


def importar() -> ModuleType:
    """The module; the first call takes 1.5 s."""
    with _UM_POR_VEZ:
        return _importado()


def comecar() -> None:
    """Begin to import it in a thread, while something waits for a file or a server."""
    Thread(target=importar, name="great_expectations", daemon=True).start()


@cache
def _importado() -> ModuleType:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    adiante = _Adiante()
    sys.meta_path.insert(0, adiante)
    # It would send the process's warnings to its log, those too that the landing's thread records.
    capturar, logging.captureWarnings = logging.captureWarnings, lambda capture: None
    gc.disable()  # thousands of classes, none of them garbage
    try:
        import great_expectations as gx
    finally:
        gc.enable()
        logging.captureWarnings = capturar
        sys.meta_path.remove(adiante)
    gc.freeze()
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    return gx
