"""What notices a planted fault: dbt's unit tests, a build, the golden values, dbt's data tests.

Belongs here: judging one changed model or macro on a copy of a built warehouse. Not here: planting
(sql.py, known.py), Python modules (judge_python.py).
"""

import json
import os
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.golden import compare, make
from tests.integration import warehouse as a

STILLBORN = re.compile(
    r"syntax error|does not exist|cannot be matched|must appear in the GROUP BY|is ambiguous"
    r"|invalid input syntax|operator does not|Compilation Error|enforced contract|cannot cast"
    r"|must be type|is not unique|unterminated|not allowed in|specified more than once"
    r"|expressions must match|aggregate function calls|must have a column definition"
    r"|invalid reference|missing FROM|each UNION query|could not determine|malformed"
    r"|invalid regular|is of type|could not identify|cannot be nested|duplicate column|types",
    re.IGNORECASE,
)
"""PostgreSQL or dbt cannot read it: nobody could have committed it, so it counts for nothing."""
YEARS = [2020, 2022, 2023]
"""Of the made-up files."""
ENGINE = {"safra_publicada", "funcoes_do_uc_id", "abre_dominios_do_lead"}
"""What the swap writes, functions that a post-hook makes, and what a config renders when the
project is parsed, before a fault is planted: integration tests' matter."""


@dataclass(frozen=True)
class Unit:
    """A model or macro that faults are planted in.

    Attributes:
        name: of the model, or of the macro with ``()``.
        file: where it stands.
        source: its Jinja source.
        kind: how it is materialized, or macro.
        shows: the models that are not ephemeral and that it is part of, name → table or view as
            tests/golden names it.
        tests: dbt's unit tests of those, or of it.
    """

    unique_id: str
    name: str
    file: str
    source: str
    kind: str
    shows: dict[str, str]
    tests: tuple[str, ...]


def units(manifest: Any) -> list[Unit]:  # noqa: ANN401
    """Models, and macros of files about data, of a parsed project (dbt's Manifest)."""
    models = {k: n for k, n in manifest.nodes.items() if n.resource_type == "model"}
    used_by: dict[str, set[str]] = {}
    for key, node in models.items():
        for macro in _all_macros(manifest, node.depends_on.macros):
            used_by.setdefault(macro, set()).add(key)
    children: dict[str, set[str]] = {}
    for key, node in models.items():
        for parent in node.depends_on.nodes:
            children.setdefault(parent, set()).add(key)

    def shows(keys: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in keys:
            node = models[key]
            if node.config.materialized == "ephemeral":
                found |= shows(children.get(key, set()))
            elif node.name not in ENGINE:
                prefix = "" if node.schema == "intel_lead" else f"{node.schema}."
                found[node.name] = prefix + node.alias
        return found

    def unit(key: str, name: str, file: str, source: str, kind: str, users: set[str]) -> Unit:
        visible = shows(users)
        tested = visible.keys() | {models[u].name for u in users}
        tests = sorted(t.name for t in manifest.unit_tests.values() if t.model in tested)
        return Unit(key, name, file, source, kind, visible, tuple(tests))

    made = [
        unit(
            *(key, n.name, f"dbt_project/{n.original_file_path}", n.raw_code),
            n.config.materialized,
            {key},
        )
        for key, n in models.items()
        if n.name not in ENGINE
    ]
    made += [
        unit(
            *(key, f"{m.name}()", m.original_file_path.removeprefix("../"), m.macro_sql),
            "macro",
            used_by[key],
        )
        for key, m in manifest.macros.items()
        if m.package_name == "intel_lead"
        and key in used_by
        and m.name not in ENGINE
        and _of_data(m.original_file_path)
    ]
    return [u for u in made if u.shows]


def _of_data(path: str) -> bool:
    return Path(path).name in (
        *("limpeza.sql", "unidade_consumidora.sql", "chaves.sql", "privacidade.sql"),
        *("perfil.sql", "aberto.sql", "tarifas.sql", "empresas.sql"),
    )


def _all_macros(manifest: Any, direct: Iterable[str]) -> set[str]:  # noqa: ANN401
    found: set[str] = set()
    queue = list(direct)
    while queue:
        key = queue.pop()
        if key not in found and key in manifest.macros:
            found.add(key)
            queue += manifest.macros[key].depends_on.macros
    return found


@dataclass(frozen=True)
class Verdict:
    """How it ended.

    Attributes:
        state: noticed, survived, stillborn.
        by: what noticed it.
        built: the database was written to.
    """

    state: str
    by: str
    built: bool


def judge(warehouse: a.Warehouse, unit: Unit, changed: str) -> Verdict:
    """Judge a changed source on this warehouse, which is of this judge alone."""
    arguments = warehouse.project.arguments()
    given = (warehouse.project.manifest, arguments, vars(unit), changed)
    running = a.Running(_judge, *given, env=warehouse.env)
    try:
        done = running.wait()
    except TimeoutError:
        return Verdict("noticed", "it did not end", True)
    if not done.nodes:
        return Verdict("stillborn", done.text[-300:], True)
    return Verdict(*done.nodes["verdict"])


def _judge(
    folder: Path, manifest: Path, arguments: list[str], unit: dict[str, Any], changed: str
) -> None:
    """In a process of its own: dbt keeps what it has compiled."""
    verdict = _verdict(manifest, arguments, Unit(**unit), changed)
    (folder / "nodes.json").write_text(json.dumps({"verdict": verdict}))


def _verdict(
    manifest: Path, arguments: list[str], unit: Unit, changed: str
) -> tuple[str, str, bool]:
    from dbt.cli.main import dbtRunner

    parsed = _parsed(manifest, unit.unique_id, changed)
    # What dbt runs before and after: a second a command, and unit tests need none of it. A build
    # does: its identity is written before it, and a leaf that failed makes it fail after it.
    hooks = {k: n for k, n in parsed.nodes.items() if n.resource_type == "operation"}

    def dbt(*command: str) -> tuple[str, str] | None:
        return _trouble(dbtRunner(manifest=parsed).invoke([arguments[0], *command, *arguments[1:]]))

    for key in hooks:
        del parsed.nodes[key]

    if unit.tests and (said := dbt("test", "--select", *unit.tests)):
        return *said, False
    parsed.nodes |= hooks
    _empty([t for n, t in unit.shows.items() if _materialized(parsed, n) == "incremental"])
    if said := dbt("run", "--full-refresh", "--select", *unit.shows):
        return *said, True
    if difference := _golden(unit.shows.values()):
        return "noticed", f"golden: {difference}", True
    tests = _data_tests(parsed, unit.shows.keys())
    said = dbt("test", "--select", *tests) if tests else None
    return (*said, True) if said else ("survived", "", True)


def _materialized(manifest: Any, name: str) -> str:  # noqa: ANN401
    return manifest.nodes[f"model.intel_lead.{name}"].config.materialized


def _empty(tables: list[str]) -> None:
    """What grows keeps its rows, and a fault would show in new ones alone."""
    with psycopg.connect("", autocommit=True) as conn:
        for table in tables:
            schema, _, name = table.rpartition(".")
            there = sql.Identifier(schema or "intel_lead", name)
            conn.execute(sql.SQL("truncate {} cascade").format(there))


def _data_tests(manifest: Any, built: Set[str]) -> list[str]:  # noqa: ANN401
    """Of what was built alone: another table of a safra would be empty where tests read it."""
    found = []
    for test in (n for n in manifest.nodes.values() if n.resource_type == "test"):
        read = [manifest.nodes[k] for k in test.depends_on.nodes if k in manifest.nodes]
        unbuilt = {n.name for n in read if n.config.materialized == "safra"} - built
        if not unbuilt and any(n.name in built for n in read):
            found.append(test.name)
    return found


def _parsed(manifest: Path, unique_id: str, changed: str) -> Any:  # noqa: ANN401
    """The parsed project with the changed source: no parse, four seconds less."""
    from dbt.contracts.graph.manifest import Manifest

    parsed = Manifest.from_msgpack(manifest.read_bytes())
    for node in (*parsed.nodes.values(), *parsed.sources.values()):
        parsed_for, node.database = node.database, os.environ["PGDATABASE"]
        if node.relation_name:
            node.relation_name = node.relation_name.replace(parsed_for, node.database, 1)
    if unique_id in parsed.macros:
        parsed.macros[unique_id].macro_sql = changed
    else:
        parsed.nodes[unique_id].raw_code = changed
    parsed.build_flat_graph()
    return parsed


def _trouble(done: Any) -> tuple[str, str] | None:  # noqa: ANN401
    """(state, what) if a command did not pass."""
    if done.exception:
        return "stillborn", str(done.exception)[:300]
    bad = [r for r in done.result.results if str(r.status) in ("error", "fail")]
    if not bad:
        return None
    first = bad[0]
    # What dbt says before the database's own words: "check the data types".
    message = " ".join((first.message or "").split()).split("check the data types.")[-1][:300]
    if str(first.status) == "error" and STILLBORN.search(message):
        return "stillborn", message
    return "noticed", f"{first.node.resource_type} {first.node.name}: {message[:120]}"


def sound(warehouse: a.Warehouse, found: Iterable[Unit]) -> list[str]:
    """What fails without any fault: then every fault would seem to be noticed."""
    done = warehouse.dbt("test", "--select", "test_type:unit")
    said = [] if done.ok else [done.trouble]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        tables = sorted({table for unit in found for table in unit.shows.values()})
        return said + [said for table in tables if (said := _golden([table], published=True))]


def _golden(tables: Iterable[str], *, published: bool = False) -> str:
    """The first difference between what was built and the golden values, or nothing.

    A safra's table is judged where ``dbt run`` leaves it, in construcao, or as published.
    """
    sums = compare.read(make.FOLDER / "synthetic" / make.SUMS)
    with psycopg.connect("") as conn:
        for table in tables:
            golden = [line for line in sums if line["table"] == table]
            if not golden:  # a mart: dbt's unit tests and data tests alone
                continue
            query = "select to_regclass(format('construcao.%%I', %s::text))"
            bare = table.rpartition(".")[2]
            unpublished = not published and conn.execute(query, [bare]).fetchone()[0] is not None
            rows = compare.fetch(conn, table, YEARS, unpublished=unpublished)
            said = compare.differences_of_sums(golden, compare.summarize(table, rows))
            path = make.FOLDER / "synthetic" / f"{table}.csv"
            if not said and path.exists():
                said = compare.differences_of_rows(table, compare.read(path), rows)
            if said:
                return said[0]
    return ""
