"""Great Expectations is imported without what no rule needs, which stays usable."""

import subprocess
import sys

PROGRAM = """
import gc, sys
from dagster_pipeline import gx

gx.comecar()
modulo = gx.importar()
assert modulo is gx.importar()
assert not [f for f in sys.meta_path if type(f).__module__ == gx.__name__]
assert gc.isenabled()
assert hasattr(modulo.expectations, "ExpectColumnValuesToBeInSet")
print("|".join(m for m in ("altair.vegalite", "scipy.stats._stats_py") if m in sys.modules))
from scipy import stats
print(stats.norm.cdf(0.0))
import altair
print(altair.Chart.__name__)
"""

RECORDING = """
import warnings
from contextlib import suppress
from dagster_pipeline import gx

before = warnings.showwarning
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    gx.comecar()
    gx.importar()
    warnings.warn("as GDAL does", RuntimeWarning)
assert warnings.showwarning is before
print([str(w.message) for w in seen if w.category is RuntimeWarning])

from dagster_pipeline import expectativas

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    with suppress(Exception):  # there is no server
        expectativas._fonte()
print([str(w.message) for w in seen if "generic SQLDatasource" in str(w.message)])
"""


def test_plots_and_statistics_are_imported_on_first_use() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["", "0.5", "Chart"]


def test_its_import_takes_no_warning_from_who_records_them() -> None:
    """GDAL's, of a geodatabase that is damaged, while the thread imports; nor leaves one of GX."""
    ran = subprocess.run(
        [sys.executable, "-c", RECORDING], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["['as GDAL does']", "[]"]
