"""Fixtures that tests on a built warehouse share; what they are made with is warehouse.py's."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from loaders.synthetic.writer import generate
from tests.conftest import NUMBERS
from tests.golden.inputs import MUX, TARIFFS, Inputs, synthetic
from tests.integration import warehouse as a
from tests.integration.api_client import Api, running


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, server: dict[str, str]) -> a.Project:
    """The dbt project as it is in the work tree now, parsed."""
    project = a.Project.copy(a.CLONE, tmp_path_factory.mktemp("projeto"))
    project.parse()
    return project


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Geodatabases: 401-2024 as first sent and as sent again with other UCs, and 404-2024."""
    folder = tmp_path_factory.mktemp("arquivos")
    faults = ["at_ds", "cnae_invalido", "codigo_fora_do_dominio", "pn_con_orfao"]
    return {
        "antiga": generate(folder / "antiga.gdb.zip", ucs=260, distribuidora=401, faults=faults),
        "nova": generate(
            folder / "nova.gdb.zip", ucs=240, seed=2, distribuidora=401, faults=["at_ds"]
        ),
        "outra": generate(folder / "outra.gdb.zip", ucs=200, distribuidora=404, faults=faults),
    }


def land_tariffs(warehouse: a.Warehouse, path: Path) -> None:
    """Land a file of tariffs; nothing is built."""
    done = a.Running(a._loaders, ["aberto", "tarifas", "--arquivo", str(path)], env=warehouse.env)
    assert (ended := done.wait()).ok, ended.trouble


def land_devices(warehouse: a.Warehouse) -> None:
    """Land a day of one sensor's readings; nothing is built."""
    sample = a.CLONE / "loaders" / "synthetic" / "aicss_sample" / "aicss-sala_2025-01-15.csv"
    done = a.Running(a._loaders, ["aicss", str(sample)], env=warehouse.env).wait()
    assert done.ok, done.trouble


@pytest.fixture(scope="module")
def own_dagster(server: dict[str, str]) -> Iterator[None]:
    """Dagster's storage of this module's own: its runs and partitions are those of its tests."""
    name = f"dagster_{next(NUMBERS)}"
    _admin(f"create database {name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_PGDATABASE", name)
        yield
    _admin(f"drop database {name} with (force)")


def _admin(command: str) -> None:
    with psycopg.connect("", dbname="postgres", autocommit=True) as connection:
        connection.execute(command)


@contextmanager
def database(server: dict[str, str], *options: str) -> Iterator[dict[str, str]]:
    """A database that only those who are given it find."""
    name = f"armazem_{next(NUMBERS)}"
    _admin(" ".join(["create database", name, *options]))
    yield server | {"PGDATABASE": name}
    _admin(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def model(
    server: dict[str, str], project: a.Project, files: Mapping[str, Path]
) -> Iterator[a.Warehouse]:
    """401-2024 (antiga) and 404-2024, landed and built: copied, never touched."""
    with database(server) as env:
        warehouse = a.Warehouse(env, project)
        for done in (
            warehouse.load(files["antiga"], files["outra"]),
            land_devices(warehouse),
            warehouse.build(*a.ALL),
        ):
            assert done is None or done.ok, done.trouble
        yield warehouse


@pytest.fixture(scope="module")
def warehouse(
    server: dict[str, str], model: a.Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[a.Warehouse]:
    """A built warehouse of this module's own, with a project of its own."""
    folder = tmp_path_factory.mktemp("projeto")
    project = a.Project.copy(model.project.folder, folder)
    options = ("template", model.env["PGDATABASE"], "strategy file_copy")
    with database(server, *options) as env:
        yield a.Warehouse(env, project)


@pytest.fixture(scope="module")
def conn(warehouse: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the module's warehouse."""
    with warehouse.connect() as connection:
        yield connection


def put(warehouse: a.Warehouse, files: Iterable[Path]) -> None:
    """Put rows where a loader would leave them: a file is named by its table."""
    with warehouse.connect() as conn:
        # A learned weight refers to its judgement, whose name comes first.
        for path in sorted(files):
            header, _, rows = path.read_text(encoding="utf-8").partition("\n")
            table = sql.Identifier(*path.stem.split("."))
            columns = sql.SQL(", ").join(map(sql.Identifier, header.split(";")))
            command = "copy {} ({}) from stdin (format csv, delimiter ';')"
            with conn.cursor().copy(sql.SQL(command).format(table, columns)) as copy:
                copy.write(rows)


def land(warehouse: a.Warehouse, inputs: Inputs) -> None:
    """Land files, then build and test everything."""
    done = warehouse.load(*inputs.bdgd)
    assert done.ok, done.trouble
    put(warehouse, inputs.rows)
    if inputs.aicss:
        done = a.Running(a._loaders, ["aicss", *map(str, inputs.aicss)], env=warehouse.env).wait()
        assert done.ok, done.trouble
    for mesh in inputs.meshes:
        done = a.Running(a._loaders, ["malha", str(mesh)], env=warehouse.env).wait()
        assert done.ok, done.trouble
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    for safra in inputs.again:
        done = warehouse.build(safra=safra)
        assert done.ok, done.trouble


@pytest.fixture(scope="session")
def golden_inputs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Inputs]:
    """The files of both sets; without MUX where it is not at hand."""
    made = {"synthetic": synthetic(tmp_path_factory.mktemp("golden"))}
    return made | ({"mux": Inputs((MUX,))} if MUX.exists() else {})


@pytest.fixture(scope="session")
def golden(
    server: dict[str, str], project: a.Project, golden_inputs: Mapping[str, Inputs]
) -> Iterator[a.Warehouse]:
    """All of them and MUX's tariffs in one database: read, never touched; MUX's only build."""
    with database(server) as env:
        warehouse = a.Warehouse(env, project)
        land_tariffs(warehouse, TARIFFS)
        # One build for both: half a minute less than one each.
        files = tuple(path for some in golden_inputs.values() for path in some.bdgd)
        made_up = golden_inputs["synthetic"]
        land(warehouse, replace(made_up, bdgd=files))
        yield warehouse


@pytest.fixture(scope="module")
def api(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on the module's warehouse."""
    with running(warehouse, tmp_path_factory.mktemp("api")) as api:
        yield api
