"""``make mutants``: plant faults, judge them, say which nobody noticed.

Belongs here: the command, the draw, the report. Not here: operators and judges.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import psycopg

from server import clusters
from tests.golden.inputs import synthetic
from tests.integration import warehouse as a
from tests.integration.conftest import land
from tests.mutants import equivalent, judge_python, python, sql
from tests.mutants.judge import Unit, Verdict, judge, sound, units
from tests.mutants.known import FAULTS
from tests.mutants.runner import Runner

BASE = "mutants_base"


@dataclass(frozen=True)
class Mutant:
    """A changed source of a unit (SQL) or of a module of loaders."""

    where: str
    file: str
    operator: str
    original: str
    changed: str
    unit: Unit | None = None

    @property
    def diff(self) -> str:
        """The lines that changed."""
        old, new = self.original.splitlines(), self.changed.splitlines()
        while old and new and old[0] == new[0]:
            old, new = old[1:], new[1:]
        while old and new and old[-1] == new[-1]:
            old, new = old[:-1], new[:-1]
        return "\n".join([f"-{line}" for line in old] + [f"+{line}" for line in new])


# ── Drawing ───────────────────────────────────────────────────────────────────────────────────────
def known(found: list[Unit]) -> list[Mutant]:
    """The fixed list; one that has no place any more ends the run."""
    by_name = {unit.name: unit for unit in found}
    return [
        Mutant(u.name, u.file, f"known: {fault.name}", u.source, fault.plant(u.source), u)
        for fault in FAULTS
        for u in [by_name[fault.where]]
    ]


def of_sql(found: list[Unit]) -> list[Mutant]:
    """Every fault that the operators find in models and macros, but those that show nowhere."""
    made = (
        Mutant(unit.name, unit.file, operator, unit.source, changed, unit)
        for unit in found
        for operator, changed in sql.mutants(unit.source)
    )
    return [m for m in made if not equivalent.reason(m.where, m.operator, m.diff)]


def of_python() -> list[Mutant]:
    """Every fault that the operators find in loaders, but those that show nowhere."""
    made: list[Mutant] = []
    for module in judge_python.modules():
        file = judge_python.path_of(module)
        source = (a.CLONE / file).read_text(encoding="utf-8")
        made += [
            Mutant(module, file, operator, source, changed)
            for operator, changed in python.mutants(source)
        ]
    return [m for m in made if not equivalent.reason(m.where, m.operator, m.diff)]


def draw(mutants: list[Mutant], limit: int, seed: int) -> list[Mutant]:
    """A share of every file and operator: one of each in turn, in an order that the seed gives."""
    rng = random.Random(seed)
    groups: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault((mutant.where, mutant.operator), []).append(mutant)
    for group in groups.values():
        rng.shuffle(group)
    keys = sorted(groups)
    rng.shuffle(keys)
    rounds = itertools.zip_longest(*(groups[key] for key in keys))
    return list(itertools.islice((m for one in rounds for m in one if m), limit))


# ── The warehouse ─────────────────────────────────────────────────────────────────────────────────
@contextmanager
def warehouse(folder: Path) -> Iterator[a.Warehouse]:
    """A server of our own, with the golden files landed, built and published."""
    with clusters.throwaway() as cluster:
        clusters.bring_up(cluster)
        os.environ |= cluster.env()
        _admin(f"create database {BASE}")
        project = a.Project.copy(a.CLONE, folder / "project")
        project.parse()
        base = a.Warehouse({"PGDATABASE": BASE}, project)
        land(base, synthetic(folder / "files"))
        yield base


def _admin(command: str) -> None:
    with psycopg.connect("", dbname="postgres", autocommit=True) as conn:
        conn.execute(command)


def _fresh(name: str) -> None:
    _admin(f"drop database if exists {name} with (force)")
    _admin(f"create database {name} template {BASE} strategy file_copy")


# ── Judging ───────────────────────────────────────────────────────────────────────────────────────
Judge = Callable[[Mutant], Verdict]


def judge_of_sql(base: a.Warehouse, workers: int) -> Judge:
    """Databases are copies of the base: made anew after whoever built in one."""
    free: SimpleQueue[str] = SimpleQueue()
    for n in range(workers):
        _fresh(f"mutants_{n}")
        free.put(f"mutants_{n}")

    def judged(mutant: Mutant) -> Verdict:
        name = free.get()
        try:
            copy = a.Warehouse({"PGDATABASE": name}, base.project)
            verdict = judge(copy, mutant.unit, mutant.changed)
            if verdict.built:
                _fresh(name)
            return verdict
        finally:
            free.put(name)

    return judged


def judge_of_python(folder: Path, mutants: list[Mutant], workers: int, *, deep: bool) -> Judge:
    """Copies of the clone, one a worker; ends the run where tests fail without any fault."""
    runners = [
        judge_python.runner_in(judge_python.copy_of_clone(folder / f"clone_{n}"))
        for n in range(workers)
    ]
    if said := judge_python.sound(runners[0], sorted({m.where for m in mutants})):
        sys.exit(f"fails without any fault: {said}")
    free: SimpleQueue[Runner] = SimpleQueue()
    for runner in runners:
        free.put(runner)

    def judged(mutant: Mutant) -> Verdict:
        runner = free.get()
        try:
            return judge_python.judge(runner, mutant.where, mutant.changed, deep=deep)
        finally:
            free.put(runner)

    return judged


def run(mutants: list[Mutant], judged: Judge, workers: int) -> list[tuple[Mutant, Verdict]]:
    """Judge all, saying each as it ends."""
    verdicts = []
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(judged, mutant): mutant for mutant in mutants}
        for n, done in enumerate(as_completed(waiting), 1):
            mutant, verdict = waiting[done], done.result()
            verdicts.append((mutant, verdict))
            print(f"{n:4} {verdict.state:9} {mutant.where}: {mutant.operator}", flush=True)
            print(
                mutant.diff if verdict.state == "survived" else f"     by {verdict.by}", flush=True
            )
    return verdicts


# ── Reporting ─────────────────────────────────────────────────────────────────────────────────────
def report(verdicts: list[tuple[Mutant, Verdict]], seconds: float) -> bool:
    """The survivors with their diffs, and the share; whether all is well."""
    survived = [m for m, v in verdicts if v.state == "survived"]
    stillborn = sum(v.state == "stillborn" for _, v in verdicts)
    for mutant in sorted(survived, key=lambda m: (m.file, m.where)):
        print(f"\nsurvived: {mutant.file}, {mutant.where}: {mutant.operator}\n{mutant.diff}")
    judged = len(verdicts) - stillborn
    noticed = judged - len(survived)
    share = 100 * noticed / max(judged, 1)
    print(
        f"\n{noticed} of {judged} noticed, {share:.1f} %; {stillborn} that PostgreSQL or dbt cannot"
        f" read are not counted; {seconds / max(len(verdicts), 1):.1f} s each"
    )
    lived = [m.operator for m in survived if m.operator.startswith("known: ")]
    for name in lived:
        print(f"not noticed, {name}", file=sys.stderr)
    return share >= 95 and not lived


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make mutants MUTANTS=…",
        description="Planta uma falha por vez e diz as que nenhum teste nota.",
    )
    parser.add_argument(
        "--only", help="partes de caminho ou nome: macros/limpeza.sql, cep(),custos/"
    )
    parser.add_argument(
        "--limit", type=int, default=170, help="quantas sortear de modelos e macros"
    )
    parser.add_argument("--python", type=int, default=60, help="quantas sortear de loaders")
    parser.add_argument("--seed", type=int, default=1, help="semente do sorteio")
    parser.add_argument("--known", action="store_true", help="só a lista fixa")
    parser.add_argument("--shallow", action="store_true", help="loaders: só os testes de unidade")
    parser.add_argument("--workers", type=int, default=2, help="quantas ao mesmo tempo")
    parser.add_argument("--list", action="store_true", help="conta as que há, sem julgar")
    return parser.parse_args()


def main() -> None:
    """Exit 1 when fewer than 95 % are noticed, or a known fault is not."""
    given = _arguments()
    begun = time.monotonic()
    verdicts: list[tuple[Mutant, Verdict]] = []

    def wanted(mutants: list[Mutant]) -> list[Mutant]:
        parts = (given.only or "").split(",")
        return [m for m in mutants if any(part in f"{m.file} {m.where}" for part in parts)]

    with tempfile.TemporaryDirectory(prefix="intel-lead-mutants-") as name:
        folder = Path(name)
        loaders = [] if given.known else draw(wanted(of_python()), 2 * given.python, given.seed)
        loaders = [m for m in loaders if python.parses(m.changed)][: given.python]
        if not (given.only or "").startswith("loaders/"):
            with warehouse(folder) as base:
                found = _units(base.project.manifest)
                if said := sound(base, found):
                    sys.exit("fails without any fault:\n" + "\n".join(said))
                models = wanted(known(found))
                if not given.known:
                    models += draw(wanted(of_sql(found)), given.limit, given.seed)
                if given.list:
                    print(
                        f"{len(wanted(of_sql(found)))} in SQL, {len(wanted(of_python()))} in Python"
                    )
                    return
                judged = judge_of_sql(base, given.workers)
                one_of_each = {unit.kind: unit for unit in found}.values()
                for u in one_of_each:
                    verdict = judged(Mutant(u.name, u.file, "none", u.source, u.source, u))
                    if verdict.state != "survived":
                        sys.exit(f"fails without any fault: {u.name}: {verdict.by}")
                verdicts += run(models, judged, given.workers)
        if loaders:
            judged = judge_of_python(folder, loaders, given.workers, deep=not given.shallow)
            verdicts += run(loaders, judged, given.workers)
    sys.exit(0 if report(verdicts, time.monotonic() - begun) else 1)


def _units(manifest: Path) -> list[Unit]:
    from dbt.contracts.graph.manifest import Manifest

    return units(Manifest.from_msgpack(manifest.read_bytes()))


if __name__ == "__main__":
    main()
