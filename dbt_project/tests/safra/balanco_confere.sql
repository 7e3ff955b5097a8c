-- What a distributor declares (BE, PNT) is what its units add up to, within 2 %. A returned row is an item of
-- a safra that is not: a layer that is missing, or a unit of energy that is not what it should be.
{{ config(severity='warn') }}

select
    ano,
    distribuidora_id,
    item,
    declarada_kwh,
    somada_kwh,
    diferenca_pct
from {{ ref('mart_balanco_distribuidora') }}
where situacao = 'diverge'
