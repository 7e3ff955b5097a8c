select * from {{ source('previsao', 'previsao_desempenho') }}
