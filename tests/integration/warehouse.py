"""A warehouse under test: run loader and dbt in processes that can be killed, look at all of it.

Belongs here: running, cutting, snapshots of content and catalogue. Not here: any claim.
A process is forked from one that has dbt and the loader imported already, and dbt gets a parsed
manifest: a build costs its SQL, not four seconds of start-up.
"""

import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

CLONE = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 300
"""How long what hangs is waited for: no claim about how long anything takes."""

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported: in the server
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["dbt.cli.main", "dbt.adapters.postgres", "loaders.__main__", "loaders.bdgd"]
    + ["loaders.aicss", "loaders.bdgd.transfer", "loaders.bdgd.geodatabase", "loaders.gate.verdict"]
    + ["great_expectations"]  # 8 s, which every judgement would pay
)

ALL = ("--exclude-resource-type", "unit_test")
SAFRAS = ("--select", "config.materialized:safra", "safra_publicada+", *ALL)
"""Enough to build, test and publish a safra where the domain tables are there already."""


# Running ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """How a process ended: its exit code (negative: the signal), what it said, dbt's nodes."""

    code: int
    text: str
    nodes: Mapping[str, tuple[str, str]]

    @property
    def ok(self) -> bool:
        """It did what it was asked to."""
        return self.code == 0

    @property
    def trouble(self) -> str:
        """What to say in an assertion: dbt's nodes that failed, else the last lines."""
        bad = [
            f"{name}: {message}"
            for name, (status, message) in self.nodes.items()
            if status in ("error", "fail")
        ]
        return "\n".join(bad[:5] or self.text.splitlines()[-15:])

    def of_status(self, *statuses: str) -> list[str]:
        """Names of the dbt nodes that ended so."""
        return [name for name, (status, _) in self.nodes.items() if status in statuses]


class Running:
    """A process between its start and its end."""

    def __init__(
        self, function: Callable[..., None], *arguments: object, env: Mapping[str, str]
    ) -> None:
        """Start it with this environment on top of ours."""
        self._folder = Path(tempfile.mkdtemp(prefix="intel-lead-run-"))
        arguments = (self._folder, dict(os.environ) | dict(env), function, arguments)
        self.process = _FORKS.Process(target=_child, args=arguments)
        self.process.start()

    def wait(self) -> Done:
        """Wait for the end."""
        self.process.join(PATIENCE_S * 3)
        if self.process.is_alive():
            self.process.kill()
            raise TimeoutError((self._folder / "text").read_text())
        nodes = self._folder / "nodes.json"
        done = Done(
            code=self.process.exitcode,
            text=(self._folder / "text").read_text() if (self._folder / "text").exists() else "",
            nodes=json.loads(nodes.read_text()) if nodes.exists() else {},
        )
        shutil.rmtree(self._folder)
        return done


def _child(folder: Path, env: dict[str, str], function: Callable[..., None], rest: tuple) -> None:
    with (folder / "text").open("w") as text:
        os.dup2(text.fileno(), 1)
        os.dup2(text.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(env)
    function(folder, *rest)


def _loaders(folder: Path, arguments: list[str]) -> None:
    from loaders.__main__ import app

    app(arguments)


def _parse(folder: Path, arguments: list[str]) -> None:
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(arguments)
    raise SystemExit(None if done.success else str(done.exception))


def _dbt(folder: Path, manifest: Path, arguments: list[str]) -> None:
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    parsed = Manifest.from_msgpack(manifest.read_bytes())
    for node in (*parsed.nodes.values(), *parsed.sources.values()):
        parsed_for, node.database = node.database, os.environ["PGDATABASE"]
        if node.relation_name:
            node.relation_name = node.relation_name.replace(parsed_for, node.database, 1)
    parsed.build_flat_graph()
    done = dbtRunner(manifest=parsed).invoke(arguments)
    if done.exception:
        raise SystemExit(str(done.exception))
    nodes = {r.node.name: (str(r.status), r.message or "") for r in done.result.results}
    (folder / "nodes.json").write_text(json.dumps(nodes))
    raise SystemExit(0 if done.success else 1)


@dataclass(frozen=True)
class Project:
    """A copy of the dbt project that a test may change: the work tree is nobody's to edit."""

    folder: Path

    @classmethod
    def copy(cls, source: Path, folder: Path) -> "Project":
        """Copy the project that lies in ``source``."""
        for name in ("dbt_project", "macros", "seeds"):
            ignored = shutil.ignore_patterns("logs", *(() if source != CLONE else ("target",)))
            shutil.copytree(source / name, folder / name, ignore=ignored)
        shutil.copy(source / "profiles.yml", folder)
        return cls(folder)

    @property
    def manifest(self) -> Path:
        """What dbt keeps of its last parse."""
        return self.folder / "dbt_project" / "target" / "partial_parse.msgpack"

    def arguments(self, *arguments: str) -> list[str]:
        """Dbt's arguments, with this project's folders."""
        target = ["--target-path", str(self.folder / "dbt_project" / "target")]
        folders = ["--project-dir", str(self.folder / "dbt_project"), *target]
        folders += ["--profiles-dir", str(self.folder), "--log-path", str(self.folder / "logs")]
        return ["--no-use-colors", *arguments, *folders]

    def parse(self) -> None:
        """Read the project; again after each change of it."""
        done = Running(_parse, self.arguments("parse"), env={}).wait()
        assert done.ok, done.text

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that is there once, and parse."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path}: {old!r} is there {text.count(old)} times"
        file.write_text(text.replace(old, new))
        self.parse()


@dataclass(frozen=True)
class Warehouse:
    """A database that was landed and built, and the project that built it."""

    env: Mapping[str, str]
    project: Project

    def connect(self) -> psycopg.Connection:
        """A connection of the reader's, in autocommit."""
        return psycopg.connect("", dbname=self.env["PGDATABASE"], autocommit=True)

    def judge(self) -> None:
        """Pass what landed through the whole gate, as every command that builds does."""
        done = Running(_loaders, ["julgar"], env=self.env).wait()
        assert done.code in (0, 3), done.text

    def start_load(self, *paths: Path, env: Mapping[str, str] | None = None) -> Running:
        """Begin to land geodatabases."""
        arguments = ["bdgd", *map(str, paths)]
        return Running(_loaders, arguments, env=dict(self.env) | dict(env or {}))

    def load(self, *paths: Path) -> Done:
        """Land geodatabases, and judge them."""
        done = self.start_load(*paths).wait()
        self.judge()
        return done

    def land_again(self, path: Path) -> Done:
        """Land a geodatabase that may be there already; nothing judges it."""
        return Running(_loaders, ["bdgd", "--forcar", str(path)], env=self.env).wait()

    def load_again(self, path: Path) -> Done:
        """Land a geodatabase that may be there already, and judge it."""
        done = self.land_again(path)
        self.judge()
        return done

    def start_dbt(self, *arguments: str, env: Mapping[str, str] | None = None) -> Running:
        """Begin a dbt command."""
        return Running(
            _dbt,
            self.project.manifest,
            self.project.arguments(*arguments),
            env=dict(self.env) | dict(env or {}),
        )

    def dbt(self, *arguments: str, safra: str = "") -> Done:
        """Run a dbt command, for one safra or for all that are pending."""
        return self.start_dbt(*arguments, env={"DBT_SAFRA": safra}).wait()

    def build(self, *arguments: str, safra: str = "") -> Done:
        """Run ``dbt build``, of the safra models unless told otherwise."""
        return self.dbt("build", *(arguments or SAFRAS), safra=safra)


# Looking ------------------------------------------------------------------------------------------

CHANGING = ["import_id", "created_at", "updated_at", "publicada_em", "importada_em", "recebido_em"]
CHANGING += ["lido_em", "data_enriquecimento", "data_inicio", "data_fim", "duracao", "rejeitado_em"]
"""Columns that say when and by which execution a row was written, not what it says."""


HISTORY = (
    "intel_lead.import_status",
    "intel_lead.qualidade_validacao",
    "marts.mart_lead_score_mudanca",
    "marts.mart_operacao",
)
"""What tells of the way here: every import there was, all the work that was done, the last
publication that moved ranks."""


def until(condition: Callable[[], object]) -> None:
    """Ask again and again until it holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "the condition never came true"


def value(conn: psycopg.Connection, query: str, parameters: Iterable[object] = ()) -> Any:  # noqa: ANN401
    """The first column of the first row."""
    row = conn.execute(query, list(parameters) or None).fetchone()
    return row[0] if row else None


def relations(conn: psycopg.Connection, *schemas: str) -> list[str]:
    """Every table, view and materialized view of these schemas that is nobody's partition."""
    rows = conn.execute(
        "select format('%%I.%%I', relnamespace::regnamespace::text, relname) from pg_class"
        " where relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'p', 'v', 'm')"
        " and not relispartition order by 1",
        [list(schemas)],
    )
    return [name for (name,) in rows]


def contents(
    conn: psycopg.Connection, *names: str, where: str = "true"
) -> dict[str, tuple[int, int]]:
    """Relation → number of rows, sum of the rows' hashes, all seen in one statement."""
    names = names or tuple(relations(conn, "intel_lead", "marts"))
    # Twelve digits: the last ones of a sum depend on the order in which it was added.
    conn.execute("set extra_float_digits = -3")
    one = (
        "select {name} as relation, count(*), coalesce(sum(hashtextextended("
        "(to_jsonb(t) - %(changing)s::text[])::text, 0)::numeric), 0)"
        " from {table} as t where {cond}"
    )
    parts = [
        sql.SQL(one).format(
            name=sql.Literal(name),
            table=sql.Identifier(*name.split(".")),
            cond=sql.SQL(where),
        )
        for name in names
        if name not in HISTORY
    ]
    query = sql.SQL(" union all ").join(parts)
    return {name: (n, int(h)) for name, n, h in conn.execute(query, {"changing": CHANGING})}


_CATALOGUE = {
    "relation": """
        select c.oid::regclass::text, c.relkind, c.relowner::regrole::text, c.relacl::text,
            c.reloptions::text, obj_description(c.oid, 'pg_class'), c.relpartbound is not null,
            pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid)
        from pg_class as c where c.relkind in ('r', 'p', 'v', 'm', 'S') and {of_c}""",
    "column": """
        select c.oid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
            a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl::text,
            col_description(c.oid, a.attnum)
        from pg_attribute as a
        inner join pg_class as c on c.oid = a.attrelid
        left join pg_attrdef as d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        where a.attnum > 0 and not a.attisdropped and c.relkind !~ '[iIt]' and {of_c}""",
    "constraint": """
        select c.oid::regclass::text, k.conname, pg_get_constraintdef(k.oid), k.convalidated
        from pg_constraint as k inner join pg_class as c on c.oid = k.conrelid where {of_c}""",
    "index": """
        select c.oid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisvalid
        from pg_index as i inner join pg_class as c on c.oid = i.indrelid where {of_c}""",
    "trigger": """
        select c.oid::regclass::text, pg_get_triggerdef(t.oid), t.tgenabled
        from pg_trigger as t inner join pg_class as c on c.oid = t.tgrelid
        where not t.tgisinternal and {of_c}""",
    "view": """
        select c.oid::regclass::text, pg_get_viewdef(c.oid)
        from pg_class as c where c.relkind in ('v', 'm') and {of_c}""",
    "function": """
        select c.oid::regprocedure::text, md5(c.prosrc), c.proacl::text
        from pg_proc as c where {of_p}""",
    "type": """
        select t.oid::regtype::text, array_agg(e.enumlabel order by e.enumsortorder)::text
        from pg_type as t inner join pg_enum as e on e.enumtypid = t.oid group by t.oid""",
    "schema": "select nspname::text, nspacl::text from pg_namespace where nspname !~ '^pg_'",
}


def catalogue(conn: psycopg.Connection) -> set[tuple[object, ...]]:
    """What the catalogue says of all our schemas, one tuple per thing."""
    ours = (
        "{}::regnamespace::text not in ('pg_catalog', 'information_schema', 'public', 'pg_toast')"
    )
    of_c, of_p = ours.format("c.relnamespace"), ours.format("c.pronamespace")
    return {
        (kind, *row)
        for kind, query in _CATALOGUE.items()
        for row in conn.execute(query.format(of_c=of_c, of_p=of_p))
    }


def difference(before: set[Any], after: set[Any]) -> list[str]:
    """What went and what came, for a message."""
    went = [f"- {thing}" for thing in sorted(map(str, before - after))]
    return went + [f"+ {thing}" for thing in sorted(map(str, after - before))]
