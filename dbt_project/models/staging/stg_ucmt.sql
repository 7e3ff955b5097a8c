{{ uc_normalizada('UCMT') }}
