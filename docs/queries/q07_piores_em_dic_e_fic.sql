-- 7. As unidades que mais ficam sem energia, ao lado da mediana do seu conjunto. Mais horas que o ano tem é erro do
-- arquivo.
select
    cod_id,
    distribuidora,
    conjunto,
    dic_anual_h,
    dic_mediana_conjunto_h,
    fic_anual,
    fic_mediana_conjunto
from marts.mart_lead
where dic_anual_h between 0 and 8784
order by dic_anual_h desc, fic_anual desc nulls last
limit 50;
