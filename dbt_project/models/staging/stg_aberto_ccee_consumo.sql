select
    {{ mes_br('mes_referencia') }} as competencia,
    {{ texto('sigla_perfil_agente') }} as agente,
    {{ texto('sigla_parcela_carga') }} as carga,
    {{ texto('cidade') }} as cidade,
    upper({{ texto('estado_uf') }}) as uf,
    {{ dito('ramo_atividade') }} as ramo,
    {{ texto('submercado') }} as submercado,
    {{ decimal_br('consumo_acl') }} as consumo_livre_mwh,
    {{ decimal_br('consumo_cativo_parc_livre') }} as consumo_cativo_mwh,
    {{ decimal_br('consumo_total') }} as consumo_total_mwh
from {{ source('aberto', 'aberto_ccee_consumo') }}
