"""The score's weights learned from outcomes (learning/) as assets.

Belongs here: lineage and events. Not here: learning, its tables (learning/), landing (loaders).
What is learned from, the criteria of published leads, is made with the weights: no edge says so,
for a lineage has no circle.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_pipeline.defs.resources import Database

OUTCOMES = dg.AssetSpec(
    ["raw", "resultado_lead"],
    group_name="aprendizado",
    kinds={"python", "postgres"},
    description="Resultados de propostas, como a equipe os trouxe: python -m loaders resultados.",
)
_ASSETS = {
    dg.AssetKey(["raw", "aprendizado"]): (
        "De cada oferta com resultados: quanto os pesos aprendidos ordenam melhor que os da"
        " semente."
    ),
    dg.AssetKey(["raw", "peso_aprendido"]): (
        "Os pesos aprendidos em uso; a próxima construção refaz os scores com eles."
    ),
}


@dg.multi_asset(
    name="aprendizado",
    specs=[
        dg.AssetSpec(
            asset,
            deps=[OUTCOMES.key],
            group_name="aprendizado",
            kinds={"postgres", "python"},
            description=text,
        )
        for asset, text in _ASSETS.items()
    ],
)
def learned_weights(
    context: dg.AssetExecutionContext, banco: Database
) -> Iterator[dg.MaterializeResult]:
    """Learn the weights of every offer that has outcomes."""
    from learning import publish  # scikit-learn, which `make run` need not wait for

    with banco.connect() as conn:
        used = publish.update(conn, context.log.info)
    for asset in _ASSETS:
        yield dg.MaterializeResult(asset, metadata={"ofertas_com_pesos_aprendidos": used})
