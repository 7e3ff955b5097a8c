-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
{% set perdas = {
    'perda_linha': ['perd_a3a', 'perd_a4'],
    'perda_baixa_tensao': ['perd_b'],
    'perda_medidor': ['perd_med'],
    'perda_transformador': ['perd_a3aa4', 'perd_a3a_b', 'perd_a4a3a', 'perd_a4_b', 'perd_b_a3a', 'perd_b_a4'],
} %}
-- Energies are as the file has them, kWh or MWh: what is billed decides (mart_perda_alimentador).
with linhas as (
    select * from {{ ref('stg_ctmt') }}
    where circuito is not null
)

select
    {%- for perda, campos in perdas.items() %}
    sum(
        case
            when num_nonnulls({{ campos | join(', ') }}) > 0
                then coalesce({{ campos | join(', 0) + coalesce(') }}, 0)
        end
    ) as {{ perda }},
    {%- endfor %}
    max(tensao_operacao_pu) as tensao_operacao_pu,
    max(import_id) as import_id,
    distribuidora_id,
    ano,
    circuito,
    max(nome) as nome,
    max(subestacao) as subestacao,
    max(ten_nom) as tensao_nominal_id,
    {{ soma_vetor('energia') }} as energia_injetada,
    {{ soma_vetor('nao_tecnica_mt') }} as perda_nao_tecnica_mt,
    {{ soma_vetor('nao_tecnica_bt') }} as perda_nao_tecnica_bt
from linhas
group by ano, distribuidora_id, circuito
