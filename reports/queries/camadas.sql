select
    camada,
    presente,
    linhas,
    linhas_rejeitadas,
    observacoes,
    import_id,
    arquivo,
    sha256,
    importada_em
from marts.mart_safra_camada
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by camada
