"""What notices a fault in a loader: its unit tests, the golden values, integration tests.

Belongs here: judging one changed module in a copy of the clone. Not here: planting (python.py).
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration import warehouse as a
from tests.mutants.judge import Verdict
from tests.mutants.runner import Runner

NOT_PLANTED = ("__init__", "__main__")
"""What only starts others, and what makes made-up files for tests."""
INTEGRATION = {
    "gate": ["test_gate"],
    "aicss": ["test_landing_aicss"],
    "removal": ["test_landing_bdgd", "test_removal"],
    "environment": ["test_local_postgres"],
    "connection": ["test_upgrade", "test_server"],
    "server_check": ["test_server"],
    "search_path": ["test_server"],
    "bdgd.conservation": ["test_conservation"],
    "bdgd.sums": ["test_door_rows", "test_conservation"],
    "bdgd.physics": ["test_door_rows"],
    "bdgd.copies": ["test_door_rows"],
    "bdgd.landing": ["test_landing_bdgd", "test_door_paths", "test_batch"],
    "bdgd.transfer": ["test_landing_bdgd", "test_door_rows"],
    "ledger": ["test_landing_bdgd", "test_door_paths"],
    "bdgd.leaves": ["test_landing_bdgd", "test_door_paths"],
    "": ["test_door_paths", "test_door_rows", "test_golden"],
}
"""How a module's name begins → the integration tests that run it; the first that fits."""
_PATIENCE_S = 600
_SECONDS = itertools.count(1_000_000_000)


def copy_of_clone(folder: Path) -> Path:
    """What git knows of the work tree, with the clone's environment."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=a.CLONE, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in names:
        if (a.CLONE / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(a.CLONE / name, folder / name)
    # Tests ask git which files there are.
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / ".venv").symlink_to(a.CLONE / ".venv")
    return folder


def modules() -> list[str]:
    """Dotted names of what faults are planted in, below loaders."""
    folder = a.CLONE / "loaders"
    names = (".".join(p.relative_to(folder).with_suffix("").parts) for p in folder.rglob("*.py"))
    return sorted(
        name
        for name in names
        if name.split(".")[-1] not in NOT_PLANTED and not name.startswith("synthetic.")
    )


def path_of(module: str) -> str:
    """Its file in the clone."""
    return f"loaders/{module.replace('.', '/')}.py"


def _imports(text: str, module: str) -> bool:
    package, _, name = f"loaders.{module}".rpartition(".")
    dotted = rf"{re.escape(package)}\.{name}\b"
    named = rf"{dotted}|from {re.escape(package)} import [^\n]*\b{name}\b"
    return re.search(named, text) is not None


def tests_of(module: str) -> list[str]:
    """The unit tests that import a module of loaders, then those of what imports it."""
    sources = {name: (a.CLONE / path_of(name)).read_text(encoding="utf-8") for name in modules()}
    users = [name for name, text in sources.items() if name != module and _imports(text, module)]
    files = sorted((a.CLONE / "tests" / "unit").glob("test_*.py"))
    texts = {f"tests/unit/{f.name}": f.read_text(encoding="utf-8") for f in files}
    own = [name for name, text in texts.items() if _imports(text, module)]
    theirs = [name for name, text in texts.items() if any(_imports(text, u) for u in users)]
    named = f"tests/unit/test_{module.split('.')[-1]}.py"
    return sorted(dict.fromkeys([*own, *theirs]), key=lambda name: name != named)


def runner_in(folder: Path) -> Runner:
    """What runs tests in a copy of the clone, of which one judge at a time may change files."""
    unwanted = ("PG", "DBT_", "PYTHONDONTWRITEBYTECODE")
    env = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    # The clone's environment knows the clone by a path of its own; the copy must come first.
    return Runner(folder, env | {"PYTHONPATH": str(folder)}, _PATIENCE_S)


def sound(runner: Runner, wanted: Sequence[str]) -> str:
    """What fails in the copy without any fault, or that Python takes the clone's own modules."""
    where = [sys.executable, "-c", "import loaders; print(loaders.__file__)"]
    env = os.environ | {"PYTHONPATH": str(runner.folder)}
    found = subprocess.run(
        where, cwd=runner.folder, env=env, capture_output=True, text=True, check=True
    )
    if not found.stdout.startswith(str(runner.folder)):
        return f"Python takes {found.stdout.strip()}"
    return _fails(runner, sorted({test for module in wanted for test in tests_of(module)}))


def judge(runner: Runner, module: str, changed: str, *, deep: bool) -> Verdict:
    """Judge a changed module in the runner's copy of the clone."""
    path = runner.folder / path_of(module)
    original = path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    _stamp(path)
    stages = [tests_of(module)]
    if deep:
        named = next(INTEGRATION[word] for word in INTEGRATION if module.startswith(word))
        stages.append([f"tests/integration/{name}.py" for name in named])
    try:
        for stage in stages:
            if said := _fails(runner, stage):
                return Verdict("noticed", said, True)
    finally:
        path.write_text(original, encoding="utf-8")
        _stamp(path)
    return Verdict("survived", "", deep)


def _stamp(path: Path) -> None:
    """A time of its own, whatever the clock: Python knows a compiled module by its second."""
    second = next(_SECONDS)
    os.utime(path, (second, second))


def _fails(runner: Runner, tests: Sequence[str]) -> str:
    """The first test that fails, or nothing."""
    if not tests:
        return ""
    code, said = runner.run(["-x", "-q", "-p", "no:cacheprovider", *tests])
    if code is None:
        return "it did not end"
    if not code:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return found[1] if found else said[-200:]
