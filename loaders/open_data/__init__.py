"""Open data of ANEEL, IBGE, CCEE and INMET, landed as they came in ``raw.aberto_<conjunto>``.

Not here: the BDGD (loaders/bdgd), companies (loaders/companies), what dbt makes of it.
"""
