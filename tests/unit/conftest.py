"""What several unit tests ask of dbt: its manifest. Not here: any claim."""

from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

CLONE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, Any]]]:
    """What `dbt parse` says of the project; the server of the environment refuses connections."""
    target = tmp_path_factory.mktemp("target")
    folders = ["--project-dir", CLONE / "dbt_project", "--profiles-dir", CLONE]
    folders += ["--target-path", target, "--log-path", target]
    done = dbtRunner().invoke(["--quiet", "parse", *map(str, folders)])
    assert done.success, done.exception
    return done.result.to_dict(omit_none=False)
