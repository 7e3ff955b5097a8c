"""What is launched together. A job cannot mix partitioned and unpartitioned assets: hence two.

Not here: open data, which comes at each source's own period (open_data.py).
"""

import dagster as dg

from dagster_pipeline.defs import companies, open_data
from dagster_pipeline.defs.raw import AICSS, AICSS_DISPOSITIVO

RAW_AICSS = dg.AssetSelection.assets(AICSS, AICSS_DISPOSITIVO)
OF_A_SAFRA = dg.AssetSelection.groups("raw", "safra").materializable()

REGISTRY = dg.AssetSelection.assets(*companies.ASSETS)

safra = dg.define_asset_job(
    "safra",
    selection=OF_A_SAFRA,
    description="Um arquivo da BDGD, até publicar: aterrissa, constrói, testa e publica a safra.",
)
marts = dg.define_asset_job(
    "marts",
    selection=dg.AssetSelection.all().materializable()
    - OF_A_SAFRA
    - open_data.selection
    - REGISTRY,
    description="O que é feito das safras publicadas e das leituras: visões, resumos, marts.",
)
aicss = dg.define_asset_job(
    "aicss",
    selection=RAW_AICSS.downstream(),
    description="Leituras AICSS: aterrissa o que chegou e atualiza o que depende delas.",
)
