-- Open domain: a code that the safra build met in the data and inserted here outlives a rebuild.
with semente as (

    select
        id,
        nome,
        sigla,
        siglas_anteriores,
        documentado
    from {{ ref('distribuidora_dominio') }}

)

select
    id,
    nome,
    sigla,
    siglas_anteriores,
    documentado
from semente
{% if load_relation(this) is not none %}
    union all
    select
        id,
        nome,
        sigla,
        siglas_anteriores,
        documentado
    from {{ this }}
    where not documentado and id not in (select semente.id from semente)
{% endif %}
