-- O mesmo no DuckDB, que lê o PostgreSQL pela extensão postgres. Ela é baixada na primeira vez; sem rede, use make export.
-- duckdb -f docs/bi/municipios.duckdb.sql, com PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD no ambiente
install postgres;
load postgres;
attach '' as armazem (type postgres, read_only);
select municipio, uf, quantidade_leads, round(energia_anual_kwh / 1000) as energia_mwh
from armazem.marts.resumo_municipio
where ano = (select max(ano) from armazem.marts.safra_publicada) and not suprimido
order by energia_anual_kwh desc, municipio;
