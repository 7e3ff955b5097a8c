with ordenados as (
    select
        s.oferta,
        s.posicao,
        s.score,
        s.grupo_comparacao,
        s.motivo_1,
        s.motivo_2,
        s.motivo_3,
        l.cod_id,
        l.origem::text as origem,
        l.municipio,
        l.uf,
        l.bairro,
        l.cep,
        l.segmento_mercado,
        l.cnae,
        l.energia_anual_kwh,
        l.demanda_contratada_kw,
        l.circuito,
        l.latitude,
        l.longitude,
        o.via,
        o.potencia_kw,
        o.capacidade_kwh,
        row_number() over (
            partition by s.oferta
            order by s.posicao asc, l.energia_anual_kwh desc nulls last, l.cod_id asc
        ) as ordem
    from marts.mart_lead_score as s
    inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
    left join marts.mart_lead_oferta as o using (uc_id, ano, distribuidora_id, oferta)
    where s.ano = %(ano)s and s.distribuidora_id = %(distribuidora_id)s
        -- Of all of a safra the index by position does it; a município's best may stand far down.
        and (%(municipios)s::integer[] is not null or s.posicao <= %(leads)s)
        and (%(municipios)s::integer[] is null or l.municipio_id = any(%(municipios)s::integer[]))
        and (%(ofertas)s::text[] is null or s.oferta = any(%(ofertas)s::text[]))
)

select * from ordenados
where ordem <= %(leads)s
order by oferta, ordem
