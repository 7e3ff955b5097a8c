"""Keeps pandas out of a process that has no use for it.

pyogrio and pyarrow import pandas and geopandas wherever they find them: 0.3 s and 50 MB, for what
nothing in this package calls. For command lines only: Dagster's processes do need them.
"""

import sys
from importlib.abc import MetaPathFinder


class _SemPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname in ("pandas", "geopandas"):
            raise ModuleNotFoundError(f"{fullname} is kept out of this process", name=fullname)


def sem_pandas() -> None:
    """From now on importing pandas or geopandas fails, as if they were not installed."""
    sys.meta_path.insert(0, _SemPandas())
