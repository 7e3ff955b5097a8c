select
    quantidade_leads,
    energia_anual_kwh,
    energia_ponta_anual_kwh,
    energia_fora_ponta_anual_kwh,
    demanda_contratada_kw,
    carga_instalada_kw,
    dic_anual_h,
    fic_anual,
    leads_com_dic,
    leads_livres,
    leads_com_geracao,
    leads_enriquecidos,
    distribuidora_id,
    municipio_id,
    origem,
    ano,
    leads_pf,
    maior_energia_anual_kwh,
    leads_com_fic,
    leads_dic_impossivel,
    leads_fic_impossivel
from {{ ref('safra_celula') }}
where dimensao = 'municipio'
