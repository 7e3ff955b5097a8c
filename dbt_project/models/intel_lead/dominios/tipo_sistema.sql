-- Open domain: a code that the safra build met in the data and inserted here outlives a rebuild.
with semente as (

    select
        id,
        descricao,
        documentado
    from {{ ref('tipo_sistema_dominio') }}

)

select
    id,
    descricao,
    documentado
from semente
{% if load_relation(this) is not none %}
    union all
    select
        id,
        descricao,
        documentado
    from {{ this }}
    where not documentado and id not in (select semente.id from semente)
{% endif %}
