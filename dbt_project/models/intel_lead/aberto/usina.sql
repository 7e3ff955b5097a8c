select distinct on (ceg)
    ceg,
    nucleo_ceg,
    nome,
    uf,
    tipo_geracao,
    fase,
    origem,
    fonte,
    outorga,
    entrada_operacao,
    potencia_outorgada_kw,
    potencia_fiscalizada_kw,
    garantia_fisica_kw,
    latitude,
    longitude,
    municipios
from {{ ref('stg_aberto_siga') }}
where ceg is not null
order by ceg asc, arquivo_id desc, linha desc
