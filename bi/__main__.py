"""``python -m bi ligar|parar|exportar|conferir``.

Belongs here: the commands, what they say, exit codes. Not here: what they do.
Exit: 0 done, 2 usage, 3 charts that would fall or changes by hand, 4 database, 5 Superset.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Annotated

import psycopg
import typer

from bi import assets, falls, package, place, process
from bi.datasets import Dataset
from dagster_pipeline.manifest import DbtParseError
from loaders import connection as db
from loaders import usage
from loaders.errors import DatabaseFailure, InvalidInput, LoadError

app = usage.App(no_args_is_help=True)
PACKAGE, TAKEN_OUT = place.FOLDER / "pacote", place.FOLDER / "exportado"
IMPORTED, AS_IMPORTED = place.FOLDER / "importado.md5", place.FOLDER / "importado"
PREPARED = place.FOLDER / "preparado.md5"
DISTRIBUTORS = (
    "select distinct distribuidora_id, distribuidora from marts.safra_publicada order by 1"
)


@app.callback(
    help="Superset sobre os marts (docs/bi.md). Saída: 0 feito, 2 uso, 3 gráficos que cairiam ou"
    " mudanças feitas à mão, 4 banco, 5 Superset."
)
def commands() -> None:
    """Superset on the marts."""


def ending(work: Callable[[], None]) -> None:
    """Do the work; a failure ends in its message and exit code."""
    try:
        work()
    except psycopg.Error as error:
        sys.stderr.write(f"bi: {error}\n")
        raise typer.Exit(DatabaseFailure.code) from None
    except (LoadError, DbtParseError) as error:
        sys.stderr.write(f"bi: {error}\n")
        code = InvalidInput.code if isinstance(error, DbtParseError) else error.code
        raise typer.Exit(code) from None


def say(text: str) -> None:
    """Tell the person, at once."""
    typer.echo(text)


def refuse_falls(found: list[falls.Fall], remedy: str) -> None:
    """Refuse to go on where charts would fall, and say which.

    Raises:
        InvalidInput: some would.
    """
    if not found:
        return
    lines = [f"  {f.place}: {f.dataset} não tem {f.lacking}" for f in found]
    raise InvalidInput(
        "nada foi importado; o que está no ar fica como está. Isto cairia:\n"
        + "\n".join(lines)
        + f"\n{remedy}"
    )


def checked() -> tuple[assets.Assets, dict[str, Dataset]]:
    """What dashboards/ holds, nothing of it falling.

    Raises:
        InvalidInput: charts take what dbt has not.
    """
    marts = package.known_marts()
    datasets = package.known_datasets(marts)
    shown = assets.read()
    remedy = "Corrija dashboards/, ou a coluna em dbt_project/models/marts, e repita make bi."
    refuse_falls(falls.find(shown, datasets), remedy)
    return shown, datasets


def refuse_unbuilt(
    conn: psycopg.Connection, shown: assets.Assets, datasets: dict[str, Dataset]
) -> None:
    """Refuse where the database has not yet what dbt has.

    Raises:
        InvalidInput: charts would fall until the next build.
    """
    marts = package.known_marts()
    read = {name: {*marts[name].columns} for d in datasets.values() for name in d.marts}
    lacking = place.lacking(conn, read)
    gone = {
        d.name: {c for mart in d.marts for c in lacking.get(mart, ()) if c in d.columns}
        for d in datasets.values()
    }
    remedy = "O banco não está como o dbt diz. Rode make build (sem safra nenhuma: make run)."
    refuse_falls(falls.find(shown, datasets, gone=gone), remedy)


def take_out(env: dict[str, str]) -> dict[str, str]:
    """What Superset holds now: path → text."""
    package.write({}, TAKEN_OUT)
    process.sync("export", TAKEN_OUT, env)
    return package.exported(TAKEN_OUT)


def changed_by_hand(contents: Mapping[str, str]) -> dict[str, str | None]:
    """Files that somebody changed in Superset's pages since the import; None: deleted there."""
    before = assets.read(AS_IMPORTED)
    now, then = assets.ours(contents, before).files(), before.files()
    return {path: now.get(path) for path in assets.differences(then, now)}


def refuse_changes(held: Mapping[str, str]) -> None:
    """Refuse to write over what somebody changed in Superset's pages and nobody exported.

    Raises:
        InvalidInput: there are such changes.
    """
    if changed := changed_by_hand(held):
        raise InvalidInput(
            "painéis foram mudados à mão no Superset, e importar os perderia:\n  "
            + "\n  ".join(changed)
            + "\nmake bi-export os traz para dashboards/; make bi DESCARTAR=1 os perde."
        )


def prepare(env: dict[str, str]) -> None:
    """Superset's own tables and roles, once for each lock and server."""
    mark = package.mark(
        {"lock": (process.VENV.parent / "intel-lead.stamp").read_text()},
        {"where": env["INTEL_BI_METADATA"]},
    )
    if PREPARED.exists() and PREPARED.read_text() == mark:
        return
    say("preparando o banco do Superset …")
    process.run([process.VENV / "superset", "db", "upgrade"], env, "preparar o seu banco")
    process.run([process.VENV / "superset", "init"], env, "preparar os seus papéis")
    PREPARED.write_text(mark)
    IMPORTED.unlink(missing_ok=True)


def bring_in(
    contents: dict[str, str], shown: assets.Assets, env: dict[str, str], *, discard: bool
) -> None:
    """Import the package unless it is in already."""
    by = (process.INSIDE / "sync.py").read_text(encoding="utf-8")
    mark = package.mark(contents, {"by": by, "password": env.get("INTEL_BI_SENHA", "")})
    if IMPORTED.exists() and IMPORTED.read_text() == mark and not discard:
        return
    before = assets.read(AS_IMPORTED)
    if IMPORTED.exists():
        held = take_out(env)
        if discard:
            before = assets.ours(held, before)
        else:
            refuse_changes(held)
    say("importando os painéis …")
    gone = assets.dump(package.gone(before, shown))
    package.write(contents | {"gone.yaml": gone}, PACKAGE)
    told = process.sync("import", PACKAGE, env)
    keep_as_imported(contents)
    IMPORTED.write_text(mark)
    if told["password"]:
        say(f"usuário admin, senha {told['password']} (mostrada só agora; outra: INTEL_BI_SENHA=…)")


def keep_as_imported(contents: Mapping[str, str | None]) -> None:
    """Remember the charts and dashboards that are in, to know later what was changed by hand."""
    kinds = ("charts/", "dashboards/")
    shown = {path: text for path, text in contents.items() if text and path.startswith(kinds)}
    package.write(shown, AS_IMPORTED)


def connected() -> tuple[dict[str, str], str, dict[int, str]]:
    """Superset's environment, the warehouse's address for bi_leitor, published distributors."""
    with closing(db.connect()) as conn:
        secrets = place.kept()
        place.make_database(conn, secrets["SUPERSET_PASSWORD"])
        password = place.reader_password(conn)
        warehouse = place.address(place.READER, None, conn.info.dbname)
        published = conn.execute("select to_regclass('marts.safra_publicada')").fetchone()[0]
        distributors = dict(conn.execute(DISTRIBUTORS).fetchall()) if published else {}
    return process.settings(secrets, password), warehouse, distributors


@app.command("ligar", help="Confere, importa o que mudou em dashboards/ e liga o Superset.")
def start(
    *,
    discard: Annotated[
        bool,
        typer.Option("--descartar", help="Perde o que foi mudado à mão e não exportado."),
    ] = False,
) -> None:
    """Check, import, start."""

    def work() -> None:
        shown, datasets = checked()
        with closing(db.connect()) as conn:
            refuse_unbuilt(conn, shown, datasets)
        env, address, distributors = connected()
        contents = package.files(shown, datasets, address=address, distributors=distributors)
        prepare(env)
        bring_in(contents, shown, env, discard=discard)
        ours = {k: v for k, v in env.items() if k.startswith(("SUPERSET", "INTEL_BI", "BI_"))}
        ours["config"] = (process.INSIDE / "superset_config.py").read_text(encoding="utf-8")
        process.start(env, package.mark(ours))
        say(f"Superset em {process.url()} (make bi-stop desliga)")

    ending(work)


@app.command("parar", help="Desliga o Superset; o que é dele fica.")
def stop() -> None:
    """Stop Superset."""
    say("Superset desligado" if process.stop() else "o Superset não estava ligado")


@app.command("exportar", help="Traz para dashboards/ o que foi mudado à mão no Superset.")
def export() -> None:
    """Bring changes by hand back into dashboards/."""

    def work() -> None:
        if not IMPORTED.exists():
            raise InvalidInput("o Superset deste clone ainda não tem painéis: make bi")
        env, _, _ = connected()
        contents = take_out(env)
        changed = changed_by_hand(contents)
        here, then = assets.read().files(), assets.read(AS_IMPORTED).files()
        if both := changed.keys() & {*assets.differences(then, here)}:
            raise InvalidInput(
                "mudaram no Superset e, desde a importação, também em dashboards/: "
                + ", ".join(sorted(both))
                + ". Guarde os seus (git stash) e repita; nada foi escrito"
            )
        assets.write(changed)
        keep_as_imported(then | changed)
        for name in package.made_by_hand(contents, package.known_datasets(package.known_marts())):
            say(
                f"não se exporta, {name}: métricas ficam em config: meta: metricas do yml do mart,"
                " conjuntos e colunas calculadas em dashboards/datasets.yaml"
            )
        words = {path: "mudou" if text else "saiu" for path, text in changed.items()}
        say("\n".join(f"{word}: dashboards/{p}" for p, word in words.items()) or "nada mudou")

    ending(work)


@app.command("conferir", help="Diz que gráficos e filtros cairiam com os marts como estão no dbt.")
def check() -> None:
    """Say what would fall."""

    def work() -> None:
        shown, datasets = checked()
        say(
            f"{len(shown.charts)} gráficos em {len(shown.dashboards)} painéis,"
            f" {len(datasets)} conjuntos de dados: nada cai"
        )

    ending(work)


if __name__ == "__main__":
    usage.run(app)
