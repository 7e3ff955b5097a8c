{{ config(safra_pai='lead_bruto') }}

-- The bill of REN ANEEL 1.000/2021, without taxes and flags: LEADS §10's formulas.
with leads as (
    select * from {{ ref('lead_mercado') }}
    where not desativada
),

series as (
    select
        uc_id,
        demanda_total,
        demanda_ponta,
        demanda_fora_ponta
    from {{ ref('lead_serie') }}
),

-- By rule A1 to A3 are Azul; which of the two an A4 unit has, the file does not say.
so_azul as (
    select id from {{ ref('subgrupo_tarifario') }}
    where modalidade_tarifaria_id = 'AZUL'
),

medidos as (
    select
        l.uc_id,
        l.distribuidora_id,
        l.ano,
        l.origem,
        t.mes,
        t.modalidade,
        t.tarifa,
        t.demanda_brl_kw,
        t.demanda_ponta_brl_kw,
        t.tusd_ponta_brl_kwh + t.te_ponta_brl_kwh as ponta_brl_kwh,
        t.tusd_brl_kwh + t.te_brl_kwh as brl_kwh,
        t.te_ponta_brl_kwh,
        t.te_brl_kwh,
        l.livre and coalesce(make_date(l.ano, t.mes, 1) >= l.migrou_em, true) as livre,
        nullif(l.demanda_contratada_kw, 0) as contrato,
        -- Medium voltage has one demand, which stands for both.
        case t.modalidade
            when 'azul' then coalesce(s.demanda_fora_ponta[t.mes], s.demanda_total[t.mes])
            when 'verde'
                then greatest(s.demanda_fora_ponta[t.mes], s.demanda_ponta[t.mes], s.demanda_total[t.mes])
        end as demanda,
        case t.modalidade when 'azul' then coalesce(s.demanda_ponta[t.mes], s.demanda_total[t.mes]) end
            as demanda_ponta,
        case when t.modalidade = 'convencional' then 0 else l.energia_ponta_mes[t.mes] end as ponta_kwh,
        l.energia_mes[t.mes] as energia_kwh
    from leads as l
    inner join {{ ref('tarifa_mensal') }} as t
        on
            l.ano = t.ano
            and l.distribuidora_id = t.distribuidora_id
            and l.subgrupo_tarifario_id = t.subgrupo_tarifario_id
            and (l.optante_b or l.origem = 'UCBT') = (t.modalidade = 'convencional')
    inner join series as s on l.uc_id = s.uc_id
    left join so_azul as z on l.subgrupo_tarifario_id = z.id
    where t.modalidade <> 'verde' or z.id is null
),

-- Billed is the contract, or what was measured above it; past the tolerance the excess twice, on top.
partes as (
    select
        *,
        case
            when modalidade = 'convencional' then 0
            else
                greatest(demanda, contrato) * demanda_brl_kw
                + case
                    when modalidade = 'azul' then greatest(demanda_ponta, contrato) * demanda_ponta_brl_kw
                    else 0
                end
        end as demanda_brl,
        2 * (
            {{ ultrapassagem_kw('demanda', 'contrato') }} * coalesce(demanda_brl_kw, 0)
            + {{ ultrapassagem_kw('demanda_ponta', 'contrato') }} * coalesce(demanda_ponta_brl_kw, 0)
        ) as ultrapassagem_brl,
        ponta_kwh * coalesce(ponta_brl_kwh, 0) as ponta_brl,
        (energia_kwh - ponta_kwh) * brl_kwh as fora_ponta_brl,
        ponta_kwh * coalesce(te_ponta_brl_kwh, 0) + (energia_kwh - ponta_kwh) * te_brl_kwh as te_brl
    from medidos
)

select
    uc_id,
    demanda_brl,
    ultrapassagem_brl,
    ponta_brl,
    fora_ponta_brl,
    demanda_brl + ultrapassagem_brl + ponta_brl + fora_ponta_brl as total_brl,
    te_brl,
    demanda_brl + ultrapassagem_brl + ponta_brl + fora_ponta_brl - case when livre then te_brl else 0 end
        as distribuidora_brl,
    distribuidora_id,
    ano,
    mes,
    modalidade,
    tarifa,
    nullif(concat_ws(
        '. ',
        case
            when modalidade = 'azul' and origem = 'UCMT'
                then 'O arquivo tem uma demanda só: vale nos dois postos'
        end,
        case
            when modalidade <> 'convencional' and contrato is null
                then 'Sem demanda contratada: conta a medida, sem ultrapassagem'
        end
    ), '') as ressalva
from partes
-- What the file lacks makes no bill.
where demanda_brl + ponta_brl + fora_ponta_brl is not null
