-- chave_da_safra returns the row whose key says 2024 (07e8) and 401 (0191) and whose columns say otherwise.
with achadas as (
    {{ test_chave_da_safra(
        "(values ('07e80191-0000-8000-8000-000000000000'::uuid, 2024::smallint, 401), "
        ~ "('07e80191-0000-8000-8000-000000000001'::uuid, 2023::smallint, 401), "
        ~ "('07e80191-0000-8000-8000-000000000002'::uuid, 2024::smallint, 402)) "
        ~ "as t (uc_id, ano, distribuidora_id)"
    ) }}
)

select count(*) as achadas
from achadas
having count(*) <> 2 or bool_or(ano = 2024 and distribuidora_id = 401)
