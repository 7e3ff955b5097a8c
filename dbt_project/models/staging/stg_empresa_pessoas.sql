select
    municipio_id,
    cep,
    chave,
    case
        when chave = 'numero' then ltrim(regexp_replace(valor, '[^0-9]', '', 'g'), '0')
        else valor
    end as valor,
    quantas
from {{ source('empresas', 'empresa_pessoas') }}
