"""Landing: our loader against ogr2ogr, and against the limits of GDAL and of COPY.

Belongs here: these figures. Not here: the processes that are the limits (limits.py).
"""

import shutil
from collections.abc import Callable

from bench.measure import Figure, Run, alternate, mb, s, say
from bench.warehouse import EMPTY, SAFRA, Bench

NAME = "landing"
ABOUT = """\
The whole of each process, start-up included, into an initialised database without data. Ours:
`python -m loaders bdgd FILE.gdb` (hash, ledger, conversion, COPY, statistics, swap). `ogr2ogr
-f PostgreSQL … --config PG_USE_COPY YES` loads the same five layers, without a spatial index.
*GDAL alone* reads every column of them with `pyogrio.open_arrow` and drops it; *COPY alone*
copies the very bytes that our loader sends, made beforehand, into the same tables."""
LAYERS = ("UCAT_tab", "UCMT_tab", "UCBT_tab", "PONNOT", "CONJ")


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    return bench.rounds * ucs * 2.4 / 1e6 + ucs * 1.5 / 1e6


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    file = bench.file(ucs)
    packed = bench.folder / "arquivos" / f"{file.stem}.copy"
    if not packed.exists():
        bench.python("pack", "bench.limits", "pack", file, packed)
    copy = ("bench.limits", "copy", packed, SAFRA)
    gdal = ["ogr2ogr", "-f", "PostgreSQL", "PG:", file, *LAYERS]
    gdal += ["--config", "PG_USE_COPY", "YES", "-lco", "SPATIAL_INDEX=NONE"]
    ways = {
        "ours": _on_empty(bench, lambda: bench.land(file)),
        "GDAL alone": lambda: bench.python("read", "bench.limits", "read", file),
        "COPY alone": _on_empty(bench, lambda: bench.python("copy", *copy)),
    }
    if shutil.which("ogr2ogr"):
        ways["ogr2ogr"] = _on_empty(bench, lambda: bench.run("ogr2ogr", *gdal))
    else:
        say("  ogr2ogr is not on this machine (apt-get install gdal-bin): left out")
    runs = alternate(bench.rounds, ways)
    ours, slower = runs["ours"], max(runs["GDAL alone"], runs["COPY alone"], key=_seconds)
    name = next(n for n, run in runs.items() if run is slower)
    figures = [
        Figure(
            group=NAME,
            ucs=ucs,
            what=f"landing vs the slower limit ({name})",
            ours=s(ours.seconds),
            other=s(slower.seconds),
            value=ours.seconds / slower.seconds,
            target=1.4,
        )
    ]
    if other := runs.get("ogr2ogr"):
        figures.insert(
            0,
            Figure(
                group=NAME,
                ucs=ucs,
                what="landing vs ogr2ogr with PG_USE_COPY",
                ours=f"{s(ours.seconds)}, {mb(ours.rss_mb)}",
                other=f"{s(other.seconds)}, {mb(other.rss_mb)}",
                value=other.seconds / ours.seconds,
                target=3,
                at_least=True,
            ),
        )
    return figures


def _on_empty(bench: Bench, way: Callable[[], Run]) -> Callable[[], Run]:
    def run() -> Run:
        bench.fresh(EMPTY)
        return way()

    return run


def _seconds(run: Run) -> float:
    return run.seconds
