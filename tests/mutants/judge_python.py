"""What notices a fault in a loader: its unit tests, the golden values, integration tests.

Belongs here: judging one changed module in a copy of the clone. Not here: planting (python.py).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration import armazem as a
from tests.mutants.judge import Verdict

MODULES = (  # noqa: SIM905
    "bdgd csv_pj colunas copia leitura_aicss aicss registro particoes geodatabase safra arquivos"
    " pacote_zip camadas portao"
).split()
INTEGRATION = {
    "leitura_aicss": ["test_carga_aicss"],
    "aicss": ["test_carga_aicss"],
    "portao": ["test_portao"],
    "registro": ["test_carga_bdgd", "test_portao"],
}
"""Module → integration tests that run it; test_carga_bdgd where none is named."""
_PATIENCE_S = 600


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
    (folder / ".venv").symlink_to(a.CLONE / ".venv")
    return folder


def _imports(text: str, module: str) -> bool:
    named = rf"loaders\.{module}\b|from loaders import [^\n]*\b{module}\b"
    return re.search(named, text) is not None


def tests_of(module: str) -> list[str]:
    """The unit tests that import a module of loaders, or one that imports it."""
    sources = {p.stem: p.read_text(encoding="utf-8") for p in (a.CLONE / "loaders").glob("*.py")}
    users = {module} | {name for name, text in sources.items() if _imports(text, module)}
    files = sorted((a.CLONE / "tests" / "unit").glob("test_*.py"))
    texts = {f"tests/unit/{f.name}": f.read_text(encoding="utf-8") for f in files}
    return [name for name, text in texts.items() if any(_imports(text, u) for u in users)]


def judge(folder: Path, module: str, changed: str, *, deep: bool) -> Verdict:
    """Judge a changed module in a copy of the clone, which is of this judge alone."""
    path = folder / "loaders" / f"{module}.py"
    original = path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    try:
        if said := _fails(folder, tests_of(module)):
            return Verdict("noticed", said, False)
        stages = [["tests/integration/test_golden.py"]]
        stages += [
            [f"tests/integration/{name}.py"]
            for name in INTEGRATION.get(module, ["test_carga_bdgd"])
        ]
        for stage in stages if deep else ():
            if said := _fails(folder, stage):
                return Verdict("noticed", said, True)
    finally:
        path.write_text(original, encoding="utf-8")
    return Verdict("survived", "", deep)


def _fails(folder: Path, tests: Sequence[str]) -> str:
    """The first test that fails, or nothing."""
    if not tests:
        return ""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DBT_"))}
    # The clone's environment knows the clone by a path of its own; the copy must come first.
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return "it did not end"
    if not done.returncode:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else (done.stdout + done.stderr)[-200:]
