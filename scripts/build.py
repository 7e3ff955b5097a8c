"""What `make build` executes: landed safras that are not published as they stand, then rollups.

Belongs here: the landing gate for what it has not judged yet, one dbt build of all, then, should a
test fail, of each that is left by itself, so that a bad safra holds back no good one. Not here: how
a safra is judged (loaders/gate) or built (dbt). Exit 0 done, 1 a model or test
failed or a safra is held, 4 database, 130 interrupted. ``.venv/bin/python -m scripts.build``
"""

import os
import subprocess
import sys
from contextlib import closing

import psycopg
import typer
from rich.console import Console

from dagster_pipeline import manifest
from loaders import aicss, conexao
from loaders.erros import ErroDeCarga
from loaders.gate import hold, verdict

INTERRUPTED = 130
SCREEN = Console(highlight=False, soft_wrap=True)

UNPUBLISHED = """
    select distribuidora_id || '-' || ano
    from controle.safra_importada as i
    left join intel_lead.safra_publicada as p using (ano, distribuidora_id)
    where not i.retida and (
        p.import_id is distinct from i.import_id
        or exists (
            select from controle.safra_construida as c
            where (c.ano, c.distribuidora_id) = (i.ano, i.distribuidora_id) and not c.publicada
        )
    )
    order by ano, distribuidora_id
"""


def dbt(*arguments: str, **environment: str) -> bool:
    """Run ``dbt build``, seen by the person; whether all of it succeeded."""
    command = [manifest.ALONE, "build", "--exclude-resource-type", "unit_test", *arguments]
    variables = os.environ | manifest.alone() | environment
    return subprocess.run(command, env=variables).returncode == 0


def unpublished(conn: psycopg.Connection) -> list[str]:
    """Keys of the safras that readers do not see as they are landed and built."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return []
    return [key for (key,) in conn.execute(UNPUBLISHED).fetchall()]


def build(conn: psycopg.Connection) -> int:
    """Judge, then build all at once, else one by one; returns the exit code."""
    conexao.preparar(conn)
    aicss.preparar(conn)
    held = judge(conn)
    if not conn.execute(f"select pg_try_advisory_lock({manifest.LOCK})").fetchone()[0]:
        SCREEN.print("another dbt build is running: waiting for it …")
        conn.execute(f"select pg_advisory_lock({manifest.LOCK})")
    if dbt():
        return 1 if held else 0
    left, rest = unpublished(conn), False
    # What an earlier build made of a held safra is tested with the others.
    (stale,) = conn.execute("select count(*) from controle.safra_importada where retida").fetchone()
    if len(left) + stale > 1:
        SCREEN.print(f"[bold]{len(left)} safras are left: each by itself[/]")
        for key in left:
            only = ("--select", manifest.OF_A_SAFRA, "--indirect-selection", "buildable")
            dbt(*only, DBT_SAFRA=key)
        rest = dbt("--exclude", manifest.OF_A_SAFRA, "--indirect-selection", "cautious")
    left = unpublished(conn)
    for key in left:
        SCREEN.print(f"[bold red]not published:[/] safra {key}; readers see what they saw before")
    return 0 if rest and not left and not held else 1


def judge(conn: psycopg.Connection) -> bool:
    """Pass what landed since through the landing gate; whether it holds anything of it."""
    held = False
    for seen in verdict.judge_pending(conn):
        if seen.held:
            held = True
            key = seen.safra.chave
            SCREEN.print(f"[bold red]held:[/] safra {key}: {seen.held}; {hold.remedio(key)}")
    return held


def main() -> None:
    """Build, test and publish what is landed."""
    try:
        with closing(conexao.conectar()) as conn:
            code = build(conn)
    except ErroDeCarga as erro:
        SCREEN.print(f"[bold red]failed:[/] {erro}")
        code = erro.codigo
    except KeyboardInterrupt:
        SCREEN.print("interrupted: nothing is half done; make build again goes on")
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
