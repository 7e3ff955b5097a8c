select
    ano,
    distribuidora_id,
    origem,
    cod_id,
    cnpj,
    logradouro
from {{ source('empresas', 'empresa_semelhanca') }}
