SELECT * 
FROM vw_lead_completo_detalhado
WHERE media_dic > 10
   OR media_fic > 15;
