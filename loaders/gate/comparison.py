"""A content beside another of the same distributor: what became of the units that both have.

Belongs here: what a comparison says. Not here: which contents are compared (references.py), what a
content says by itself (inspection.py).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg

from loaders.bdgd.layers import UC_LAYERS
from loaders.gate import units
from loaders.gate.evidence import Finding, beyond, least, limits, most, pct
from loaders.gate.units import MONTHS, TOTAL, Content, Figures, layers_of

CODES_MATCH = 0.05
"""With fewer codes in common than this share of the smaller content, the codes were made anew."""
CLOSING = 0.05
"""Share of units that close in an ordinary year: what a vanished group is held against."""
NAMES = "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
MONTH_NAMES = dict(zip(MONTHS, NAMES.split(), strict=True))
GROUPS = {"feeder": "alimentador", "conj": "conjunto", "mun": "município"}


@dataclass(frozen=True)
class Reference:
    """A content that another is compared with.

    Attributes:
        name: says it to a person: ``a safra 401-2023``.
        key: says it to a program: ``2023``, or ``substituido``.
        years: between the vintages; 0 for the content that is replaced.
        later: whether the reference is the later vintage: what it has more may be new.
    """

    name: str
    key: str
    years: int
    content: Content
    later: bool = False


@dataclass(frozen=True)
class Seen:
    """Everything that was counted of a content and a reference.

    Attributes:
        now, before: ``content_figures`` of each.
        pair: ``pair_figures``.
        groups: rows of groups.sql.
        sample: one unit in how many was counted.
    """

    reference: Reference
    absent: frozenset[str]
    now: Mapping[str, Figures]
    before: Mapping[str, Figures]
    pair: Mapping[str, Figures]
    groups: Sequence[Figures]
    sample: int = 1

    @property
    def codes_match(self) -> bool:
        """Whether the contents can be compared unit by unit."""
        fewer = min(self.now[TOTAL]["coded"], self.before[TOTAL]["coded"])
        common = self.pair[TOTAL]["common"]
        return common > CODES_MATCH * fewer

    def units(self, when: Mapping[str, Figures], layer: str) -> int:
        """How many a content has in a layer."""
        return when[layer]["units"] if layer in when else 0

    def finding(self, rule: str, where: str, text: str, **figures: float | int | None) -> Finding:
        """A finding against this reference."""
        sample = f"; amostra de 1 em {self.sample}" if self.sample > 1 else ""
        said = f"{text} ({self.reference.name}{sample})"
        return Finding(rule, where, said, self.reference.key, figures)


def compare(conn: psycopg.Connection, content: Content, reference: Reference) -> list[Finding]:
    """What of a content says that it is not whole, beside a reference.

    What a person said its copy lacks is not asked of it, but to replace what has it.
    Inside a transaction: it makes temporary tables that end with it.
    """
    if reference.years:
        reference = replace(reference, content=reference.content.without(content.lacking))
    if not any(layer.name in reference.content.leaves for layer in UC_LAYERS):
        return []
    mask = max(units.mask_of(conn, content), units.mask_of(conn, reference.content))
    now, before = "gate_now", "gate_before"
    units.take_units(conn, now, content, mask)
    units.take_units(conn, before, reference.content, mask)
    seen = Seen(
        reference=reference,
        absent=content.absent,
        now=units.content_figures(conn, now),
        before=units.content_figures(conn, before),
        pair=units.pair_figures(conn, now, before),
        groups=units.group_figures(conn, now, before),
        sample=mask + 1,
    )
    return judge_pair(seen)


def judge_pair(seen: Seen) -> list[Finding]:
    """The findings in what was counted."""
    looks: tuple[Callable[[Seen], Iterator[Finding]], ...]
    looks = (vanished_groups, added_units, trimmed_energy)
    if seen.codes_match:
        looks = (vanished_units, missing_layers, *looks, scale, shares, months, points)
    else:
        looks = (layer_totals, *looks, typical_energy)
    return [finding for look in looks for finding in look(seen)]


def allowed_to_vanish(years: int) -> float:
    """Share of the reference's units that may be gone; of a content that is replaced, a year's."""
    a_year, at_most = most("unidades_que_sumiram"), most("unidades_que_sumiram_em_anos")
    return min(1 - (1 - a_year) ** max(years, 1), at_most)


def vanished_units(seen: Seen) -> Iterator[Finding]:
    """Units of the reference that are in no layer: all together, else in one layer."""
    limit = allowed_to_vanish(seen.reference.years)
    for layer in (TOTAL, *layers_of(seen.before)):
        before = seen.units(seen.before, layer)
        row = seen.pair.get(layer, {})
        gone = row.get("vanished", 0)
        # Where as many came as went, codes were made anew: the units are there.
        net = gone - row.get("opened", 0)
        if beyond(gone, before, limit) and beyond(net, before, limit):
            of = "todas as camadas" if layer == TOTAL else f"{layer}"
            yield seen.finding(
                "unidades_que_sumiram",
                layer,
                f"{of}: de {before} unidades, {gone} ({pct(gone, before)}) não estão em camada"
                f" nenhuma; o máximo é {100 * limit:.0f} %",
                before=before,
                sumiram=gone,
            )
            if layer == TOTAL:
                return


def missing_layers(seen: Seen) -> Iterator[Finding]:
    """A layer that the file does not have, whose units are nowhere."""
    for layer in sorted(seen.absent & set(layers_of(seen.before))):
        before, gone = seen.before[layer]["units"], seen.pair.get(layer, {}).get("vanished", 0)
        if gone >= 0.5 * before:
            yield seen.finding(
                "camada_que_sumiu",
                layer,
                f"o arquivo não tem a camada {layer}: de {before} unidades, {gone} não estão em"
                " camada nenhuma",
                before=before,
                sumiram=gone,
            )


def vanished_groups(seen: Seen) -> Iterator[Finding]:
    """Feeders, conjuntos and municípios of which nearly nothing is left, while others are there."""
    # Without codes a group is known by its name, which only a município keeps over the years.
    by_name = not seen.codes_match and seen.reference.years > 0
    kinds = {"mun": GROUPS["mun"]} if by_name else GROUPS
    gone = seen.pair[TOTAL]["vanished"] / max(seen.before[TOTAL]["coded"], 1)
    chance = min(max(gone, CLOSING), allowed_to_vanish(1)) if seen.codes_match else CLOSING
    fewest = least("grupo_da_safra_posterior") if seen.reference.later else 0
    for kind, name in kinds.items():
        for row in (r for r in seen.groups if r["kind"] == kind):
            units_before = row["coded"] if seen.codes_match else row["units"]
            left = row["common"] if seen.codes_match else row["now_units"]
            lost = max(units_before - left, 0)
            # The group is there under other codes.
            named = row["now_units"] > 0.5 * row["units"]
            whole = left <= most("grupo_que_sumiu") * units_before
            if whole and not named and lost >= fewest and beyond(lost, units_before, chance):
                yield seen.finding(
                    "grupo_que_sumiu",
                    f"{kind} {row['name']}",
                    f"{name} {row['name']}: de {units_before} unidades restam {left}",
                    before=units_before,
                    restam=left,
                )


def added_units(seen: Seen) -> Iterator[Finding]:
    """More units than a distributor gains, in the layers that the reference has."""
    if seen.reference.years == 0:
        return
    layers = layers_of(seen.before)
    now = sum(seen.units(seen.now, layer) for layer in layers)
    before = sum(seen.units(seen.before, layer) for layer in layers)
    if not (now and before):
        return
    limit = min(most("unidades_a_mais") ** seen.reference.years, most("unidades_a_mais_em_anos"))
    chance = 4 * math.sqrt(1 / now + 1 / before)
    if math.log(now / before) > math.log(limit) + chance:
        yield seen.finding(
            "unidades_a_mais",
            TOTAL,
            f"todas as camadas: {now} unidades são {now / before:.1f} vezes as {before} de antes;"
            f" o máximo é {limit:g}",
            before=before,
            now=now,
        )


def trimmed_energy(seen: Seen) -> Iterator[Finding]:
    """Energy over all layers, without the twentieth of the units that could change it alone."""
    now, before = seen.now[TOTAL]["most_kwh"], seen.before[TOTAL]["most_kwh"]
    low, high = limits()["energia_de_quase_todas"]
    # Layers that only one of the contents has are judged as layers.
    same = set(layers_of(seen.now)) >= {c for c in layers_of(seen.before) if c != "UCAT"}
    enough = seen.before[TOTAL]["units"] >= 100
    replaced = seen.reference.years == 0
    if not (same and enough and before > 0):
        return
    ratio = now / before
    grown = set(layers_of(seen.before)) >= {c for c in layers_of(seen.now) if c != "UCAT"}
    if ratio < low or (ratio > high and grown and not replaced):
        yield seen.finding(
            "energia_de_quase_todas",
            TOTAL,
            f"todas as camadas, fora as maiores (5 %): {now:.0f} kWh são"
            f" {pct(now, before)} de {before:.0f}; o admitido é de {pct(low, 1)} a {pct(high, 1)}",
            antes_kwh=before,
            agora_kwh=now,
        )


def scale(seen: Seen) -> Iterator[Finding]:
    """The unit in the middle: whole months missing, doubled energy, another unit of measure."""
    low, high = limits()["razao_mediana"]
    for layer, row in seen.pair.items():
        for count in (row["below"], row["above"]):
            if beyond(count, row["comparable"], 0.5):
                yield seen.finding(
                    "razao_mediana",
                    layer,
                    f"{layer}: a energia das {row['comparable']} unidades que estão nas duas é"
                    f" {row['median']:.3g} vezes a de antes (mediana); o admitido é de {low:g}"
                    f" a {high:g}",
                    unidades=row["comparable"],
                    median=row["median"],
                )


SHARES = {
    "consumo_pela_metade": ("halved", "menos da metade da energia de antes"),
    "consumo_em_dobro": ("doubled", "mais do dobro da energia de antes"),
    "meses_a_menos": ("fewer_months", "menos meses com energia do que antes"),
}


def shares(seen: Seen) -> Iterator[Finding]:
    """Parts of the common units that lost or gained too much."""
    for rule, (column, said) in SHARES.items():
        for layer, row in seen.pair.items():
            if beyond(row[column], row["comparable"], most(rule)):
                yield seen.finding(
                    rule,
                    layer,
                    f"{layer}: {row[column]} das {row['comparable']} unidades que estão nas duas"
                    f" ({pct(row[column], row['comparable'])}) têm {said}; o máximo é"
                    f" {pct(most(rule), 1)}",
                    unidades=row["comparable"],
                    how_many=row[column],
                )


def months(seen: Seen) -> Iterator[Finding]:
    """Months that are empty for units that had energy in them before."""
    for layer, row in seen.pair.items():
        alive = {m: row[f"alive_{m}"] for m in MONTHS}
        empty = {m: row[f"empty_{m}"] for m in MONTHS}
        usual = sorted(empty[m] / alive[m] if alive[m] else 0.0 for m in MONTHS)[3]
        for m in MONTHS:
            # Where most months are so, the others' share says nothing: it is capped.
            if beyond(empty[m], alive[m], min(most("mes_vazio") + min(usual, 0.3), 0.9)):
                yield seen.finding(
                    "mes_vazio",
                    f"{layer} {m}",
                    f"{layer}, {MONTH_NAMES[m]}: {empty[m]} de {alive[m]} unidades"
                    f" ({pct(empty[m], alive[m])}) ficaram sem a energia que tinham no mês",
                    unidades=alive[m],
                    vazias=empty[m],
                )


def points(seen: Seen) -> Iterator[Finding]:
    """Units whose pole is not in PONNOT any more."""
    row = seen.pair[TOTAL]
    if beyond(row["displaced"], row["placed"], most("sem_ponto_notavel")):
        yield seen.finding(
            "sem_ponto_notavel",
            "PONNOT",
            f"PONNOT: {row['displaced']} de {row['placed']} unidades"
            f" ({pct(row['displaced'], row['placed'])}) não acham mais o seu ponto; o máximo é"
            f" {pct(most('sem_ponto_notavel'), 1)}",
            unidades=row["placed"],
            sem_ponto=row["displaced"],
        )


def layer_totals(seen: Seen) -> Iterator[Finding]:
    """Without common codes: units per layer, and all together."""
    a_year, at_least = least("linhas_da_camada"), least("linhas_da_camada_em_anos")
    limit = max(a_year ** max(seen.reference.years, 1), at_least)
    for layer in (TOTAL, *layers_of(seen.before)):
        now, before = seen.units(seen.now, layer), seen.before[layer]["units"]
        if beyond(max(before - now, 0), before, 1 - limit):
            yield seen.finding(
                "linhas_da_camada",
                layer,
                f"{layer}: {now} unidades são {pct(now, before)} de {before} (nenhum COD_ID se"
                f" repete, só os totais se comparam); o mínimo é {100 * limit:.0f} %",
                before=before,
                now=now,
            )


def typical_energy(seen: Seen) -> Iterator[Finding]:
    """Without common codes: the median year of a unit, within what its own error allows."""
    low, high = limits()["energia_tipica"]
    for layer in set(layers_of(seen.now)) & set(layers_of(seen.before)):
        now, before = seen.now[layer], seen.before[layer]
        if not (now["active"] and before["active"]):
            continue
        # The logarithm of a median of n varies by 1.25 σ/√n; σ is 1.0 to 1.6 in BT and MT.
        error = 4 * 1.25 * 1.3 * math.sqrt(1 / now["active"] + 1 / before["active"])
        ratio = now["median_kwh"] / before["median_kwh"]
        if not math.log(low) - error <= math.log(ratio) <= math.log(high) + error:
            yield seen.finding(
                "energia_tipica",
                layer,
                f"{layer}: a unidade do meio usou {now['median_kwh']:.0f} kWh no ano, antes"
                f" {before['median_kwh']:.0f} (nenhum COD_ID se repete, só os totais se comparam)",
                antes_kwh=before["median_kwh"],
                agora_kwh=now["median_kwh"],
            )
