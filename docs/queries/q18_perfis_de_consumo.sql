-- 18. Como se consome: os perfis de cada grupo, com quantas unidades, quanto consomem, quando, e quantas pessoas jurídicas há em cada um.
select
    p.grupo,
    p.perfil,
    p.quantidade_leads,
    p.media_kwh_mes,
    p.media_sazonalidade,
    p.participacao_verao,
    p.participacao_ponta,
    p.media_fator_carga,
    p.silhueta,
    count(l.uc_id) as pessoas_juridicas
from marts.mart_perfil_consumo as p
left join marts.mart_perfil_consumo_lead as l
    on p.perfil_id = l.perfil_id
        and p.ano = l.ano
        and p.distribuidora_id = l.distribuidora_id
where p.ano = 2024 and p.distribuidora_id = 401
group by
    p.grupo, p.perfil_id, p.perfil, p.quantidade_leads, p.media_kwh_mes, p.media_sazonalidade, p.participacao_verao,
    p.participacao_ponta, p.media_fator_carga, p.silhueta
order by p.grupo, p.perfil_id;
