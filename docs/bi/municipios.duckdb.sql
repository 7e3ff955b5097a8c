-- O mesmo no DuckDB, que lê o PostgreSQL pela extensão postgres. Ele a baixa na primeira vez; sem rede, use make export.
-- duckdb -f docs/bi/municipios.duckdb.sql, com PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD no ambiente
install postgres;
load postgres;
attach '' as armazem (type postgres, read_only);
select municipio, uf, count(*) as leads, round(sum(energia_anual_kwh) / 1000) as energia_mwh
from armazem.marts.mart_lead
group by municipio, uf
order by energia_mwh desc, municipio;
