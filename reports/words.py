"""Numbers, dates and codes as a Brazilian reads them.

Belongs here: how a value is written. Not here: where on the page (templates/).
"""

import re
from datetime import date, datetime

from loaders.figures import NONE
from reports.period import ZONE

MONTHS = "jan fev mar abr mai jun jul ago set out nov dez".split()  # noqa: SIM905
OFFERS = {
    "migracao": "Migração ao Mercado Livre",
    "arbitragem": "Arbitragem de ponta",
    "backup": "Backup",
    "gtd": "GTD",
    "eficiencia": "Eficiência",
}
"""Offer → its name in seeds/oferta.csv."""
PITCHES = {
    "migracao": "comprar energia fora da distribuidora",
    "arbitragem": "bateria que carrega fora da ponta e descarrega nela",
    "backup": "bateria ou gerador para as horas sem rede",
    "gtd": "recurso do cliente onde a rede está no limite",
    "eficiencia": "gastar menos, para quem gasta muito mais que os pares",
}
ANOMALIES = {
    "desvio_proprio": "Mês fora do próprio padrão",
    "pico": "Um mês cinco vezes o normal",
    "linha_reta": "Leitura que se repete",
    "zeros": "Zeros em unidade ativa",
    "desvio_dos_pares": "Consumo longe do dos pares",
    "variacao_anual": "Ano muito diferente do anterior",
    "energia_sem_demanda": "Energia sem demanda",
    "demanda_sem_energia": "Demanda sem energia",
    "energia_acima_da_demanda": "Energia que a demanda não entrega",
    "queda_na_area": "Queda brusca numa área",
    "consumo_alto_renda_baixa": "Consumo alto onde a renda é baixa",
}
"""Kind of anomaly → its name in seeds/anomalia_tipo.csv."""
LAYERS = {
    "UCAT": "unidades de alta tensão",
    "UCMT": "unidades de média tensão",
    "UCBT": "unidades de baixa tensão",
    "PONNOT": "pontos notáveis: sem eles ninguém tem lugar no mapa",
    "CONJ": "conjuntos elétricos: medianas de DIC e FIC",
    "CRVCRG": "curvas de carga: sem elas a ponta vem de curvas de outra base",
    "UGAT": "geração em alta tensão",
    "UGMT": "geração em média tensão",
    "UGBT": "geração em baixa tensão",
    "PIP": "iluminação pública",
    "UNTRMT": "transformadores",
    "SUB": "subestações",
    "ARAT": "área de atuação: contorno do mapa",
    "SSDMT": "traçado dos alimentadores",
    "CTMT": "alimentadores: energia injetada e perdas",
    "BE": "balanço de energia declarado",
    "PNT": "perdas não técnicas declaradas",
}
LEVELS = {"uc": "unidade", "municipio": "município", "municipio_classe": "município, classe"}
MODELS = {"ingenuo_sazonal": "ingênuo sazonal"}


def day(value: date | datetime | None) -> str:
    """``29/11/2026``, in Brasília's time."""
    return _local(value).strftime("%d/%m/%Y") if value else NONE


def moment(value: datetime | None) -> str:
    """``29/11/2026 07:23``, in Brasília's time."""
    return _local(value).strftime("%d/%m/%Y %H:%M") if value else NONE


def month(value: date) -> str:
    """``dez/2024``."""
    return f"{MONTHS[value.month - 1]}/{value.year}"


def short(text: str) -> str:
    """A text whose codes that no line holds are cut to their beginning."""
    return re.sub(r"([^\s|]{12})[^\s|]{12,}", r"\1…", text)


def reason(text: str | None) -> str:
    """A reason without the list of criteria that lack data, which is said once for the table."""
    return (text or "").split(". Sem dado, contam 0:")[0].replace(" %", "\u00a0%")


def lacking(text: str | None) -> str:
    """That list."""
    return (text or "").partition(". Sem dado, contam 0: ")[2]


def _local(value: date | datetime) -> date | datetime:
    return value.astimezone(ZONE) if isinstance(value, datetime) else value
