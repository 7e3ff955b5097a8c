"""Weights of criteria from outcomes, judged on outcomes that they have not seen.

Belongs here: the split, the fit, the comparison with the seed's weights. Arrays alone. Not here:
where outcomes come from (outcomes.py), what becomes of the weights (publish.py).
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from learning.outcomes import Cases

LEAST_LEADS, LEAST_WON = 200, 30
"""With fewer outcomes nothing is learned (LEADS.md §6)."""
LEAST_JUDGED = 10
"""Of sales, and of refusals, among the outcomes that judge."""
OLDER = 0.7
"""Share of the outcomes, the older ones, that weights are learned from."""
RESAMPLES = 2000
DOUBT = 0.01
"""Chance that is left to luck: the gain that 99 % of the resamples reach must be above zero."""
DECIMALS = 4


@dataclass(frozen=True)
class Measured:
    """How well a score orders the judging outcomes.

    Attributes:
        auc: chance that a sale stands above a refusal.
        precision: average precision.
        lift: sales among the first tenth over those of all: 1 is no better than by lot.
        brier: mean squared error of the probability that the score stands for.
        expected: sales that it foretold.
    """

    auc: float
    precision: float
    lift: float
    brier: float
    expected: float


@dataclass(frozen=True)
class Verdict:
    """What became of an offer's outcomes; without enough of them, the reason alone.

    Attributes:
        weights: criterion → weight, summing to 1; none where they are not better.
        gain: of AUC over the seed's, which 99 % of the resamples reach.
        since, until: days of the outcomes that judged.
    """

    reason: str
    weights: dict[str, float] | None = None
    judged: int | None = None
    judged_won: int | None = None
    since: np.datetime64 | None = None
    until: np.datetime64 | None = None
    seed: Measured | None = None
    learned: Measured | None = None
    gain: float | None = None


def learn(cases: Cases) -> Verdict:
    """Learn from the older outcomes, judge on the newer ones, against the seed's weights."""
    leads, won = len(cases.won), int(cases.won.sum())
    if leads < LEAST_LEADS or won < LEAST_WON:
        return Verdict(
            f"há {leads} leads com resultado, {won} ganhos: precisa de {LEAST_LEADS} e {LEAST_WON}"
        )
    older, newer = split(cases.day)
    for rows in (older, newer):
        sold = int(cases.won[rows].sum())
        if min(sold, int(rows.sum()) - sold) < LEAST_JUDGED:
            return Verdict(
                f"das {OLDER:.0%} mais antigas ou das mais novas, menos de {LEAST_JUDGED} ganhas ou"
                " perdidas: não há com que julgar".replace("%", " %")
            )
    weights = fit(cases.values[older], cases.won[older])
    if not weights.any():
        return Verdict("nenhum critério distingue quem comprou")
    seed, learned = cases.values @ cases.seed, cases.values @ weights
    truth = cases.won[newer]
    reached, alone = gain(seed[newer], learned[newer], truth)
    before, after = (
        measure(score[older], cases.won[older], score[newer], truth) for score in (seed, learned)
    )
    better = reached > 0 and alone > 0.5 and after.precision > before.precision  # noqa: PLR2004
    return Verdict(
        "os aprendidos ordenam melhor" if better else "não são seguramente melhores",
        dict(zip(cases.criteria, weights.tolist(), strict=True)) if better else None,
        len(truth),
        int(truth.sum()),
        cases.day[newer].min(),
        cases.day[newer].max(),
        before,
        after,
        reached,
    )


def split(day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which outcomes are learned from and which judge: no day is in both."""
    first = np.sort(day)[int(OLDER * len(day))]
    return day < first, day >= first


def fit(values: np.ndarray, won: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression, none below zero, summing to 1; all zero: it has none.

    A criterion that counts against its direction is left out, the strongest first, and the rest
    fitted again: to turn a direction round is a person's decision, in the seed.
    """
    kept = np.flatnonzero(values.std(axis=0) > 0)
    found = np.zeros(values.shape[1])
    while len(kept):
        of_kept = LogisticRegression().fit(values[:, kept], won).coef_[0]
        if of_kept.min() > 0:
            found[kept] = of_kept
            return rounded(found / found.sum())
        kept = np.delete(kept, of_kept.argmin())
    return found


def rounded(weights: np.ndarray) -> np.ndarray:
    """Weights to four decimals that sum to 1: the greatest takes what rounding leaves."""
    found = weights.round(DECIMALS)
    found[found.argmax()] += 1 - found.sum()
    return found.round(DECIMALS)


def measure(
    score: np.ndarray, won: np.ndarray, new_score: np.ndarray, new_won: np.ndarray
) -> Measured:
    """How a score does on new outcomes; what probability it stands for is of the older ones."""
    scale = LogisticRegression(C=1e6).fit(score[:, None], won)
    chance = scale.predict_proba(new_score[:, None])[:, 1]
    return Measured(
        float(roc_auc_score(new_won, new_score)),
        float(average_precision_score(new_won, new_score)),
        lift(new_score, new_won),
        float(brier_score_loss(new_won, chance)),
        float(chance.sum()),
    )


def lift(score: np.ndarray, won: np.ndarray) -> float:
    """Share of sales in the first tenth over the whole's; equal scores share the last place."""
    size = max(1, len(won) // 10)
    last = np.sort(score)[-size]
    above, equal = score > last, score == last
    sold = won[above].sum() + won[equal].mean() * (size - above.sum())
    return float(sold / size / won.mean())


def gain(seed: np.ndarray, learned: np.ndarray, won: np.ndarray) -> tuple[float, float]:
    """What resamples of the outcomes leave of the gain in AUC, and of the learned AUC itself.

    Returns:
        the difference, and the AUC, that all but ``DOUBT`` of the resamples reach.
    """
    lot = np.random.default_rng(0)
    often = [
        lot.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
        for count in (int(won.sum()), int((~won).sum()))
    ]
    before, after = (
        (often[0] @ _wins(score[won], score[~won]) * often[1]).sum(axis=1)
        for score in (seed, learned)
    )
    return float(np.quantile(after - before, DOUBT)), float(np.quantile(after, DOUBT))


def _wins(sold: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Sales × refusals: 1 where the sale stands above, 0.5 where they are equal."""
    return (sold[:, None] > kept) + 0.5 * (sold[:, None] == kept)
