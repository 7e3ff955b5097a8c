"""The forecasts (forecasting/) as assets: what they read, when they are made.

Belongs here: lineage and events. Not here: models, tables (forecasting/); the batch makes them too.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_pipeline import batch
from dagster_pipeline.defs import dbt
from dagster_pipeline.defs.resources import Database
from forecasting.publish import TABLES

ASSETS = [dg.AssetKey(name.split(".")) for name in TABLES]
_SAID = (
    "Energia dos próximos meses de cada distribuidora, município × classe, conjunto e segmento.",
    "Quanto cada modelo errou em cada série, nos meses que não viu.",
)


@dg.multi_asset(
    name="previsao",
    specs=[
        dg.AssetSpec(
            asset,
            # After the views that name the safras: safra_serie is read as published.
            deps=[dbt.PUBLISHED, dg.AssetKey(["intel_lead", "safra_serie"])],
            group_name="previsao",
            kinds={"postgres", "python"},
            description=text,
            automation_condition=dbt.after_publications(),
        )
        for asset, text in zip(ASSETS, _SAID, strict=True)
    ],
)
def forecasts(context: dg.AssetExecutionContext, banco: Database) -> Iterator[dg.MaterializeResult]:
    """Forecast the distributors of which something was published since, or taken out."""
    with banco.connect() as conn:
        made, refused = batch.predict(conn, say=context.log.info)
    for asset in ASSETS:
        yield dg.MaterializeResult(asset, metadata={"distribuidoras": len(made)})
    if refused:
        raise dg.Failure("\n".join(refused), allow_retries=False)


def materialized(made: Sequence[int]) -> Iterator[dg.AssetMaterialization]:
    """What a batch made of them."""
    for asset in ASSETS:
        yield dg.AssetMaterialization(asset, metadata={"distribuidoras": len(made)})
