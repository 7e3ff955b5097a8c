-- Quanto cada município consome, o ano mais novo: psql "$(make -s db-url)" -f docs/bi/municipios.sql
select
    municipio,
    uf,
    quantidade_leads,
    round(energia_anual_kwh::numeric / 1000) as energia_mwh
from marts.resumo_municipio
where ano = (select max(ano) from marts.safra_publicada) and not suprimido
order by energia_anual_kwh desc, municipio;
