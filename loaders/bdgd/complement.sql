-- Puts one layer's complement into its new leaf, each row with the unit it is of, or why of none.
-- {units}: the layer's leaf; the unit's key is that of dbt's staging. Names from complement.py.
insert into {leaf} (
    ano, distribuidora_id, import_id, linha, origem, cod_id, pn_con, pac, sit_ativ, lgrd, brr, cep, energia,
    point_x, point_y, uc, correspondencia, motivo
)
with unidades as materialized (
    select
        coalesce(nullif(btrim(cod_id), ''), 'linha-' || linha) as uc,
        upper(nullif(btrim(cod_id), '')) as codigo,
        nullif(nullif(btrim(pn_con), ''), '0') as pn_con,
        nullif(nullif(btrim(pac), ''), '0') as pac,
        array[{months}] as energia
    from {units}
    -- No unit is read where no row waits for one.
    where exists (select from complemento_lido where origem = {layer})
),

linhas as materialized (
    select
        linha,
        upper(nullif(btrim(cod_id), '')) as codigo,
        nullif(nullif(btrim(pn_con), ''), '0') as pn_con,
        nullif(nullif(btrim(pac), ''), '0') as pac,
        energia,
        exists (select from unnest(energia) as m (kwh) where m.kwh <> 0) as usou
    from complemento_lido
    where origem = {layer}
),

-- An equal code proves nothing by itself: other releases number their units anew.
por_codigo as materialized (
    select
        l.linha,
        u.uc,
        coalesce(l.pn_con = u.pn_con, false) or coalesce(l.pac = u.pac, false) or l.usou and not exists (
            select from unnest(l.energia, u.energia) as m (dela, dele)
            where abs(coalesce(m.dela, 0) - coalesce(m.dele, 0)) > 0.01
        ) as provado
    from linhas as l
    inner join unidades as u on l.codigo = u.codigo
),

codigos as (
    select
        linha,
        min(uc) filter (where provado) as uc,
        count(distinct uc) filter (where provado) as quantas
    from por_codigo
    group by linha
),

-- Twelve months without energy are nobody's in particular. A hundredth: a CSV may be rounded.
redes as (
    select
        l.linha,
        min(u.uc) as uc,
        count(distinct u.uc) as quantas
    from linhas as l
    inner join unidades as u on l.pn_con = u.pn_con and l.pac = u.pac
    left join codigos as c on l.linha = c.linha
    where
        l.usou
        and coalesce(c.quantas, 0) = 0
        and not exists (
            select from unnest(l.energia, u.energia) as m (dela, dele)
            where abs(coalesce(m.dela, 0) - coalesce(m.dele, 0)) > 0.01
        )
    group by l.linha
),

pares as (
    select linha, uc, 'cod_id' as correspondencia from codigos where quantas = 1
    union all
    select linha, uc, 'pn_con_pac_energia' from redes where quantas = 1
),

-- A unit that its code gives to one row, or that rows of two codes claim, is no other row's.
donos as (
    select
        p.uc,
        bool_or(p.correspondencia = 'cod_id') as pelo_codigo,
        count(distinct coalesce(l.codigo, 'linha-' || l.linha)) as quantos
    from pares as p
    inner join linhas as l on p.linha = l.linha
    group by p.uc
),

firmes as (
    select
        p.linha,
        p.uc,
        p.correspondencia
    from pares as p
    inner join donos as d on p.uc = d.uc
    where p.correspondencia = 'cod_id' or not d.pelo_codigo and d.quantos = 1
)

select
    r.ano, r.distribuidora_id, r.import_id, r.linha, r.origem, r.cod_id, r.pn_con, r.pac, r.sit_ativ, r.lgrd, r.brr,
    r.cep, r.energia, r.point_x, r.point_y, f.uc, f.correspondencia,
    case
        when f.uc is not null then null
        when c.quantas > 1 or n.quantas > 1 then 'de mais de uma unidade'
        when n.quantas = 1 then 'de unidade que outra linha também tem'
        when c.linha is not null then 'com o COD_ID de uma unidade e PN_CON, PAC e energia de outra'
        when l.pn_con is null or l.pac is null or not l.usou
            then 'de COD_ID desconhecido, sem PN_CON, PAC ou energia'
        else 'de unidade que a geodatabase não tem'
    end
from complemento_lido as r
inner join linhas as l on r.linha = l.linha
left join codigos as c on r.linha = c.linha
left join redes as n on r.linha = n.linha
left join firmes as f on r.linha = f.linha
where r.origem = {layer}
