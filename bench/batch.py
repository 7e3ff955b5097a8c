"""Many small files from `make run FOLDER` to published: land many, build once.

Belongs here: that command, and what one bad file among them adds. Not here: what is in a file.
"""

from pathlib import Path

from bench.measure import Figure, s, say
from bench.warehouse import PYTHON, READY, Bench
from loaders.synthetic.writer import generate

NAME = "batch"
FILES, UCS = 50, 300
FIRST = 62_001
ABOUT = f"""\
`make run FOLDER` with {FILES} files of {UCS} units each, into a warehouse whose domains are there:
landed two at a time, judged, then built, tested and published by one dbt command, and told to
Dagster.
The same once more with a file that cannot be read among them."""


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    return 5


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take both figures, once each."""
    folder = bench.folder / "many_small"
    folder.mkdir(exist_ok=True)
    for n in range(FILES):
        path = folder / f"s_{n}.gdb.zip"
        if not path.exists():
            generate(path, ucs=UCS, distribuidora=FIRST + n, ano=2023, seed=n, faults=[])
    took = {}
    bad = folder / "ruim.gdb.zip"
    for name in ("good", "one_bad"):
        bad.unlink(missing_ok=True)
        if name == "one_bad":
            bad.write_text("no zip")
        bench.fresh(READY)
        took[name] = _seconds(bench, name, folder)
        say(f"  {name}: {took[name]:.1f} s")
    bad.unlink()
    return [
        Figure(
            group=NAME,
            ucs=UCS,
            what=f"`make run` of {FILES} files, a file",
            ours=s(took["good"]),
            other="",
            value=took["good"] / FILES,
            unit="s",
            target=1.5,
        ),
        Figure(
            group=NAME,
            ucs=UCS,
            what="what one bad file among them adds",
            ours=s(took["one_bad"]),
            other=s(took["good"]),
            value=took["one_bad"] - took["good"],
            unit="s",
            target=15,
        ),
    ]


def _seconds(bench: Bench, name: str, folder: Path) -> float:
    """How long the command took; a bad file among others makes it end with 3, which is right."""
    code = 3 if name == "one_bad" else 0
    check = f'"$@"; [ $? = {code} ]'
    command = (PYTHON, "-m", "dagster_pipeline.run", folder)
    return bench.run(name, "bash", "-c", check, "bash", *command).seconds
