{{ uc_normalizada('UCAT') }}
