select
    cnpj,
    cnpj_basico,
    municipio_id,
    entrega_id,
    matriz,
    situacao,
    data_situacao,
    data_inicio,
    cnae,
    cnaes_secundarios,
    cep,
    ltrim(regexp_replace(numero, '[^0-9]', '', 'g'), '0') as numero,
    nullif(
        concat_ws(
            ', ', concat_ws(' ', tipo_logradouro, logradouro), numero, complemento, bairro
        ), ''
    ) as endereco,
    nome_fantasia,
    telefone,
    email,
    razao_social,
    natureza_juridica,
    capital_social,
    porte
from {{ source('empresas', 'empresa_estabelecimento') }}
