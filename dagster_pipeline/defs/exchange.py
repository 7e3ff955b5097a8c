"""Exchange with R (loaders/exchange) as assets: the files it reads, the predictions that come back.

Belongs here: which folders, lineage, events. Not here: files and contract (loaders/exchange).
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from dagster_pipeline.defs import dbt
from dagster_pipeline.defs.resources import Database
from loaders.environment import CLONE
from loaders.errors import InvalidInput
from loaders.exchange import export, landing
from loaders.exchange.command import said

FOLDER = Path(CLONE) / ".local" / "r"
EXPORTED = dg.AssetKey(["arquivo", "r"])
PREDICTED = dg.AssetKey(["raw", "previsao_externa"])


class Exchange(dg.Config):
    """Where R reads and writes."""

    pasta: str = str(FOLDER)
    """Files for R go here; predictions are taken from its folder ``previsoes``."""


@dg.asset(
    key=EXPORTED,
    deps=[dbt.PUBLISHED],
    group_name="r",
    kinds={"csv"},
    description="Os CSV que o R lê: unidades de pessoas jurídicas, municípios, séries (docs/r.md).",
)
def exported(
    context: dg.AssetExecutionContext, config: Exchange, banco: Database
) -> dg.MaterializeResult:
    """Write the three files, each whole."""
    folder = Path(config.pasta)
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    with banco.connect() as conn:
        for what in export.QUERIES:
            with export.whole(folder / f"{what}.csv") as file:
                rows[what] = export.export(conn, what, None, file).rows
    context.log.info("%s: %s", folder, rows)
    return dg.MaterializeResult(metadata={"pasta": dg.MetadataValue.path(folder), **rows})


@dg.asset(
    key=PREDICTED,
    group_name="r",
    kinds={"python", "postgres"},
    description="Previsões feitas em R, conferidas pelo contrato (docs/r.md); dbt as avalia.",
)
def predicted(
    context: dg.AssetExecutionContext, config: Exchange, banco: Database
) -> Iterator[dg.MaterializeResult]:
    """Land what lies in the folder; a bad file fails the run after the others have landed."""
    folder, wrong, rows = Path(config.pasta) / "previsoes", [], 0
    files = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".csv", ".parquet"))
    with banco.connect() as conn:
        for path in files:
            try:
                done = landing.land(conn, path)
            except InvalidInput as error:
                wrong.append(str(error))
                continue
            rows += 0 if done.already else done.rows
            context.log.info("%s", said(path, done))
    yield dg.MaterializeResult(metadata={"arquivos": len(files), "linhas_novas": rows})
    if wrong:
        raise dg.Failure("\n".join(wrong), allow_retries=False)
