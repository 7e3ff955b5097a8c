"""Receita Federal's CNPJ registry: legal persons' establishments, and what is made of them.

Belongs here: landing the bulk files, the steps of enrichment. Not here: who matches whom (dbt).
"""
