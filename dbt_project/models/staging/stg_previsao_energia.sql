select * from {{ source('previsao', 'previsao_energia') }}
