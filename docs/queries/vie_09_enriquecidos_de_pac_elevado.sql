SELECT * 
FROM vw_lead_completo_detalhado
WHERE enriquecimento_status = 'success'
  AND pac > 15000;
