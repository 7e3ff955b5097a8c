"""Which database is found, by precedence; the forms of its address. Not here: a running server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders import environment

URL = "postgresql://ana:s%40nha@db.example:6543/lead?sslmode=require"
ANA = {
    "PGHOST": "db.example",
    "PGPORT": "6543",
    "PGUSER": "ana",
    "PGPASSWORD": "s@nha",
    "PGDATABASE": "lead",
    "PGSSLMODE": "require",
}
LOCAL = {
    "PGHOST": "127.0.0.1",
    "PGPORT": "23456",
    "PGUSER": "lead",
    "PGPASSWORD": "x",
    "PGDATABASE": "lead",
}
text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone without .env whose server file names LOCAL."""
    server = tmp_path / "postgres.env"
    server.write_text("".join(f"{name}={value}\n" for name, value in LOCAL.items()))
    monkeypatch.setattr(environment, "SERVER_FILE", str(server))
    monkeypatch.setattr(environment, "USER_FILE", str(tmp_path / ".env"))
    return tmp_path


def pg(env: dict[str, str]) -> dict[str, str]:
    """The PG* of a filled environment."""
    environment.fill(env)
    return {name: value for name, value in env.items() if name.startswith("PG")}


def test_the_clones_server_when_the_user_names_none() -> None:
    assert pg({"HOME": "/root"}) == LOCAL


def test_database_url_goes_before_pg_variables_and_files() -> None:
    env = {"DATABASE_URL": URL, "PGHOST": "elsewhere", "PGDATABASE": "other"}
    assert pg(env) == ANA
    assert "DATABASE_URL" not in env


def test_pg_variables_of_the_user_are_left_alone() -> None:
    env = {"PGHOST": "elsewhere", "PGUSER": "rui", "USER": "root"}
    assert pg(env) == {
        "PGHOST": "elsewhere",
        "PGUSER": "rui",
        "PGPORT": "5432",
        "PGPASSWORD": "",
        "PGDATABASE": "lead",
    }


def test_a_database_named_alone_is_one_on_the_clones_server() -> None:
    assert pg({"PGDATABASE": "other"}) == LOCAL | {"PGDATABASE": "other"}


def test_dot_env_goes_before_the_clones_server_and_after_the_shell(files: Path) -> None:
    commented = "#DATABASE_URL=x\n # DATABASE_URL=y\n"
    (files / ".env").write_text(f'# mine\nexport DATABASE_URL="{URL}"\n{commented}')
    assert pg({}) == ANA
    assert pg({"PGHOST": "elsewhere"})["PGHOST"] == "elsewhere"


def test_what_we_filled_in_is_not_taken_for_the_users_choice_by_a_child() -> None:
    env: dict[str, str] = {}
    environment.fill(env)
    assert not environment.users_server(env)
    assert pg(env | {"PGDATABASE": "other"})["PGDATABASE"] == "other"
    assert environment.users_server(env | {"PGPORT": "1"})["PGPORT"] == "1"


def test_folders_of_dagster_and_dbt_are_the_clones_unless_set() -> None:
    env = {"DAGSTER_HOME": "/mine"}
    environment.fill(env)
    assert env["DAGSTER_HOME"] == "/mine"
    assert env["DBT_PROJECT_DIR"] == f"{environment.CLONE}/dbt_project"
    assert env["DAGSTER_PGDATABASE"] == "dagster"


@pytest.mark.parametrize(
    ("url", "host", "database"),
    [
        ("postgres://ana@h/d", "h", "d"),
        ("postgresql+psycopg://ana@h/d", "h", "d"),
        ("postgresql://ana@[::1]:5432/d", "::1", "d"),
        ("postgresql:///d?host=/run/postgresql", "/run/postgresql", "d"),
    ],
)
def test_forms_of_address(url: str, host: str, database: str) -> None:
    found = environment.from_url(url)
    assert (found["PGHOST"], found["PGDATABASE"]) == (host, database)


@pytest.mark.parametrize("url", ["mysql://h/d", "h:5432/d", "postgresql://h:x/d", f"{URL}&a=b"])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        environment.from_url(url)


@given(user=text, password=text, database=text, host=st.sampled_from(["h", "::1", "/run/pg"]))
def test_an_address_written_is_read_back(
    user: str, password: str, database: str, host: str
) -> None:
    env = {
        "PGHOST": host,
        "PGPORT": "5432",
        "PGUSER": user,
        "PGPASSWORD": password,
        "PGDATABASE": database,
    }
    assert environment.from_url(environment.to_url(env)) == env


def start_python(url: str) -> subprocess.CompletedProcess[str]:
    """Start python in the clone as its venv does."""
    code = "import loaders.environment as a; a.at_startup(); import os; print(os.environ['PGHOST'])"
    env = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": environment.CLONE}
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, env=env, cwd=environment.CLONE, capture_output=True, text=True)


def test_python_starts_with_the_users_database() -> None:
    assert start_python(URL).stdout == "db.example\n"


def test_python_does_not_start_with_an_address_that_cannot_be_read() -> None:
    done = start_python("postgresql//typo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("intel-lead: DATABASE_URL não é da forma postgresql://")


def test_a_line_that_begins_with_a_hash_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#A=1\n # B=2\n##C=3\nD = '4#'\nexport E=\"5\"\n\nF\n")
    assert environment.read_file(str(tmp_path / "x")) == {"D": "4#", "E": "5"}


def test_without_a_role_the_users_name_is_one_and_without_a_name_lead() -> None:
    assert pg({"PGHOST": "elsewhere", "USER": "ana"})["PGUSER"] == "ana"
    assert pg({"PGHOST": "elsewhere"})["PGUSER"] == "lead"
