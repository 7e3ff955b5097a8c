"""A number as a Brazilian reads it, wherever the product says one.

Belongs here: that. Not here: dates and codes (reports/words.py), SQL's own (macros/leads.sql).
"""

NONE = "sem dados"


def number(value: float | int | None, decimals: int = 0) -> str:
    """83273095.2 is ``83.273.095``; nothing is ``sem dados``."""
    if value is None:
        return NONE
    text = f"{round(value, decimals) + 0:,.{decimals}f}"  # + 0: no minus before a zero
    return text.translate(str.maketrans(",.", ".,"))
