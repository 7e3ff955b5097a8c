{{ config(
    materialized='view',
    barreira=true,
    grants={'select': ['intel_api', 'analista', 'gestor_alerta']},
    post_hook='select controle.esconde_contatos()'
) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    uc_id,
    capital_social,
    latitude,
    longitude,
    escore,
    entrega_id,
    distribuidora_id,
    abertura,
    situacao_desde,
    candidatos,
    ano,
    ordem,
    matriz,
    preenche_cnae,
    confianca,
    cnpj,
    cnpj_basico,
    razao_social,
    nome_fantasia,
    situacao,
    cnae_id,
    cnae,
    natureza_juridica,
    endereco,
    cep,
    telefone,
    email,
    porte,
    faturamento_faixa,
    evidencia
from {{ ref('lead_empresa') }}
