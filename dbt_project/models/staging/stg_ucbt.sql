{{ uc_normalizada('UCBT') }}
