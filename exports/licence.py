"""Under which licence the data are, in the words that go with every copy of them.

Belongs here: those words. Not here: where they are written.
"""

ATTRIBUTION = (
    "Contém informações da Base de Dados Geográfica da Distribuidora (BDGD), ANEEL,"
    " disponibilizada sob a Open Database License (ODbL) 1.0."
)
NAME = "ODbL-1.0"
ADDRESS = "https://opendatacommons.org/licenses/odbl/1-0/"
