"""Leads de cada município e a energia deles: python docs/bi/municipios.py "$(make -s db-url)"."""

import sys
from pathlib import Path

import pandas
from sqlalchemy import create_engine, text

armazem = create_engine(sys.argv[1])
consulta = Path("docs/bi/municipios.sql").read_text(encoding="utf-8")
municipios = pandas.read_sql(text(consulta), armazem)
print(municipios.to_csv(index=False), end="")
