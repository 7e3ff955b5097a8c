"""Faults that passed all tests once: each must be noticed, now and whenever this is run.

Belongs here: the faults as patterns of today's source; one that finds no place fails the run, so
that a renamed column takes its fault along. Not here: faults that operators find (sql.py).
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A fault: in model ``where`` or macro ``where()``, what ``old`` matches becomes ``new``."""

    name: str
    where: str
    old: str
    new: str

    def plant(self, text: str) -> str:
        """The changed source; LookupError where the pattern is gone."""
        changed, times = re.subn(self.old, self.new, text, flags=re.DOTALL)
        if not times or changed == text:
            raise LookupError(f"{self.name}: {self.where} has no place for it; mend known.py")
        return changed


FAULTS = (
    Known(
        "map point with latitude and longitude swapped",
        "ponto_do_lead()",
        r"st_makepoint\((\{\{.*?\}\}), (\{\{.*?\}\})\)",
        r"st_makepoint(\2, \1)",
    ),
    Known(
        "longitude from the município before the pole",
        "lugar_do_lead()",
        r"eixo_do_lead\('longitude'\) \}\} as",
        "eixo_do_lead('longitude', ['l', 'm', 'p']) }} as",
    ),
    Known(
        "latitude from the pole before the unit's own",
        "lugar_do_lead()",
        r"eixo_do_lead\('latitude'\) \}\} as",
        "eixo_do_lead('latitude', ['p', 'l', 'm']) }} as",
    ),
    Known(
        "superseded row preferred", "lead_bruto", r"sit_ativ = 'AT'\) desc", "sit_ativ = 'AT') asc"
    ),
    Known("first row instead of the last", "lead_bruto", r"linha desc\n", "linha asc\n"),
    Known("CEP's filler kept", "cep()", r"nullif\((translate\(.*?\)), '00000000'\)", r"\1"),
    Known("CNAE's filler kept", "cnae()", r"nullif\((nullif\(.*?\)), '0'\)", r"\1"),
    Known(
        "contracted demand from installed load",
        "uc_normalizada()",
        r"else 'dem_cont' \}",
        "else 'car_inst' }",
    ),
    Known(
        "DIC and FIC of the year swapped",
        "uc_normalizada()",
        r"dic as dic_anual,(\s+)fic as fic_anual",
        r"fic as dic_anual,\1dic as fic_anual",
    ),
    Known(
        "DIC and FIC of the month swapped",
        "lead_qualidade_mensal",
        r"unnest\(s\.dic, s\.fic\)",
        "unnest(s.fic, s.dic)",
    ),
    Known("livre inverted", "uc_normalizada()", r"liv = 1", "liv <> 1"),
    Known("sem_rede inverted", "uc_normalizada()", r"semred = 1", "semred <> 1"),
    Known(
        "peak and off-peak swapped in the series",
        "series_mensais()",
        r"'ene_p'(.*?)'ene_f'",
        r"'ene_f'\1'ene_p'",
    ),
    Known(
        "demand of the posts swapped in the series",
        "series_mensais()",
        r"'dem_p'(.*?)'dem_f'",
        r"'dem_f'\1'dem_p'",
    ),
    Known(
        "peak and off-peak swapped in the months",
        "lead_energia_mensal",
        r"s\.energia_ponta, s\.energia_fora_ponta\)",
        "s.energia_fora_ponta, s.energia_ponta)",
    ),
    Known(
        "demand summed over rows",
        "series_da_camada()",
        r"'max' if serie\.startswith\('demanda'\) else 'sum'",
        "'sum'",
    ),
    Known(
        "greatest demand turned into the mean",
        "lead_resumo_anual",
        r"max\(coalesce",
        "avg(coalesce",
    ),
    Known("31/02 taken for a date", "dia_do_calendario()", r"<= extract\(day.*?1 day'\)", "<= 31"),
    Known("29/02 taken for none", "dia_do_calendario()", r"<= extract", "< extract"),
    Known(
        "a rollup's free leads counted as all",
        "resumo_leads_distribuidora",
        r"sum\(s\.leads_livres\)",
        "sum(s.quantidade_leads)",
    ),
    Known(
        "free leads of a safra counted as all",
        "safra_celula",
        r"count\(\*\) filter \(where livre\) as",
        "count(*) as",
    ),
    Known(
        "oldest import shown as the latest",
        "vw_import_status_resumido",
        r"order by import_id desc",
        "order by import_id asc",
    ),
    Known("off-peak of high voltage lost", "energia_do_mes()", r"m\.ponta \+ m\.fora_ponta, ", ""),
    Known(
        "a month of high voltage with one post lost",
        "energia_do_mes()",
        r", m\.ponta, m\.fora_ponta",
        "",
    ),
    Known(
        "energy of superseded rows lost",
        "lead_serie",
        r"select \* from \{\{ camada \| lower \}\}_somadas",
        "select * from {{ camada | lower }}_somadas where false",
    ),
    Known(
        "own coordinates outside Brazil kept",
        "coordenada()",
        r"between -74\.1 and -28\.6",
        "between -180 and 180",
    ),
    Known(
        "município's point for a lead of another safra",
        "lead_com_coordenadas",
        r"l\.ano = p\.ano\s+and ",
        "",
    ),
    Known("segment of the wrong division", "cnae", r"left\(cnae\.id, 2\)", "right(cnae.id, 2)"),
    Known(
        "luz lit by daylight",
        "leitura_estado",
        r"leitura\.luz < dispositivo\.limiar_luz",
        "leitura.luz > dispositivo.limiar_luz",
    ),
    Known(
        "a gap counted as on",
        "consumo_dispositivo_hora",
        r"else seguida\.inicio",
        "else seguida.proxima",
    ),
)
