-- All devices: none is a distributor's.
select
    dispositivo_id,
    count(*) as horas,
    sum(energia_interna_kwh) as energia_interna_kwh,
    sum(energia_externa_kwh) as energia_externa_kwh,
    sum(energia_total_kwh) as energia_total_kwh,
    sum(custo_brl) as custo_brl,
    avg(cobertura_pct) as cobertura_pct
from marts.consumo_dispositivo_hora
where hora >= %(inicio)s and hora < %(fim)s
group by dispositivo_id
order by dispositivo_id
