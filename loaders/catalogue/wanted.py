"""What somebody wants of the catalogue, and what is to be done for it.

Belongs here: the words (``401``, ``401-2024``, ``ucmt_pj``, ``TODAS``), the plan and its order. Not
here: fetching (archive.py), landing, building.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

import psycopg

from loaders import environment, ledger, removal
from loaders.catalogue import archive, bookkeeping, ckan
from loaders.catalogue.bookkeeping import Known
from loaders.errors import InvalidInput
from loaders.safra import Safra

EVERYTHING = "TODAS"
UNREAD_MODELS = frozenset({"M6"})
"""Models that no file of was ever seen here: landed only by name."""
_ITEM = re.compile(r"[0-9a-f]{32}")


class Step(StrEnum):
    """What is to be done next for one vintage, or why nothing is: as where it is, for a person."""

    FETCH = "no catálogo"
    LAND = "no arquivo"
    BUILD = "aterrissada"
    DONE = "publicada"
    HELD = "retida"
    FAILED = "reprovada"
    REFUSED = "recusada"
    REMOVED = "removida"
    GONE = "sumiu"
    BY_NAME = "só a pedido"


TO_DO = (Step.FETCH, Step.LAND, Step.BUILD)


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        everything: ``TODAS``.
        named: keys, CSVs' names and item ids; where a person types them, also what is refused,
            removed or failed.
        distributors: all vintages of them.
        typed: a person asks now; what is followed is asked for every day.
    """

    everything: bool = False
    distributors: frozenset[int] = frozenset()
    named: frozenset[str] = frozenset()
    typed: bool = True

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.everything or self.distributors or self.named)

    def has(self, item: Known) -> bool:
        """Whether it wants an item."""
        return (
            self._names(item)
            or (self.everything and item.kind == "geodatabase")
            or item.distribuidora_id in self.distributors
        )

    def insists(self, item: Known) -> bool:
        """Whether a person wants this very one, whatever became of it."""
        return self.typed and self._names(item)

    @property
    def csvs(self) -> bool:
        """Whether it wants a CSV."""
        return bool(self.named & set(ckan.NAMES))

    def _names(self, item: Known) -> bool:
        return bool({item.key, item.item_id, item.landed_key} & self.named)


def read(words: Iterable[str]) -> Wanted:
    """What words say, parted by commas or blanks.

    Raises:
        InvalidInput: a word says nothing.
    """
    found = [w for text in words for w in re.split(r"[,;\s]+", text) if w]
    distributors, named = set(), set()
    for word in found:
        low = word.lower()
        if word.upper() == EVERYTHING:
            continue
        if low in ckan.NAMES or _ITEM.fullmatch(low):
            named.add(low)
        elif word.isascii() and word.isdigit():
            distributors.add(int(word))
        else:
            try:
                named.add(Safra.from_key(word).key)
            except ValueError:
                raise InvalidInput(
                    f"{word!r}: escreva uma distribuidora (401), uma safra (401-2024), um CSV"
                    f" ({ckan.NAMES[1]}), o id de um item, ou {EVERYTHING}"
                ) from None
    everything = any(word.upper() == EVERYTHING for word in found)
    return Wanted(everything, frozenset(distributors), frozenset(named))


def followed() -> Wanted:
    """What INTEL_SEGUIR says; empty: nothing.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return replace(read([environment.setting("INTEL_SEGUIR")]), typed=False)
    except InvalidInput as error:
        raise InvalidInput(f"INTEL_SEGUIR: {error}") from None


@dataclass(frozen=True)
class Task:
    """One vintage, what is to be done for it, and why nothing is.

    Attributes:
        key: of the safra, as the title predicts it; of a CSV, its name.
        item: None: it landed from a file that is not of the catalogue.
    """

    key: str
    step: Step
    item: Known | None = None
    why: str = ""

    @property
    def bytes(self) -> int:
        """How much it is, as far as anybody knows."""
        return self.item.weight if self.item else 0

    @property
    def said(self) -> str:
        """Where it is, and why nothing is done."""
        return f"{self.step} ({self.why})" if self.why else str(self.step)

    @property
    def to_fetch(self) -> int:
        """How much of it has to come."""
        return self.bytes if self.step is Step.FETCH else 0

    @property
    def lacks_copy(self) -> bool:
        """Whether the archive may have a copy of it, and has none: landed by hand, say."""
        if self.step is Step.FETCH:
            return True
        landed = self.step in (Step.BUILD, Step.DONE, Step.HELD, Step.FAILED)
        return landed and self.item is not None and self.item.listed and not self.item.sha256


@dataclass
class Plan:
    """What is to be done, in that order; and what is not, with the reason."""

    tasks: list[Task] = field(default_factory=list)
    rest: list[Task] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Of all that is to be done."""
        return sum(task.bytes for task in self.tasks)

    @property
    def to_fetch(self) -> int:
        """Bytes that have to come."""
        return sum(task.to_fetch for task in self.tasks)


def plan(conn: psycopg.Connection, wanted: Wanted) -> Plan:
    """What is to be done for what is wanted: the newest year first, of a year the largest."""
    state = _State(conn)
    items = [item for item in bookkeeping.known(conn) if wanted.has(item)]
    regular = {item.key for item in items if item.current and not item.extraordinary}
    found = [_task(item, state, wanted) for item in items if _counts(item, wanted, regular)]
    seen = {task.key for task in found} | {t.item.landed_key for t in found if t.item}
    for key in sorted(state.landed - seen):
        if wanted.everything or key in wanted.named or _dist(key) in wanted.distributors:
            step = state.after_landing(key, by_name=wanted.typed and key in wanted.named)
            found.append(Task(key, step))
    there = {item.distribuidora_id for item in items} | {_dist(key) for key in state.landed}
    made = Plan(unknown=sorted(wanted.named - seen - {t.key for t in found} - _ids(items)))
    made.unknown += [str(one) for one in sorted(wanted.distributors - there)]
    for task in sorted(found, key=_order):
        (made.tasks if task.step in TO_DO else made.rest).append(task)
    return made


class _State:
    """What the warehouse has: landed, held, published, taken out."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.landed = ledger.landed(conn)
        self.removed = removal.removed(conn)
        rows = conn.execute(
            "select distribuidora_id || '-' || ano from controle.safra_importada where retida"
        )
        self.held = {key for (key,) in rows}
        self.published = _published(conn)
        self.failed = _failed(conn)

    def after_landing(self, key: str, *, by_name: bool) -> Step:
        """What a landed safra needs; one whose tests failed as it is, only by name."""
        if key in self.held:
            return Step.HELD
        if key in self.published:
            return Step.DONE
        return Step.FAILED if key in self.failed and not by_name else Step.BUILD


def _failed(conn: psycopg.Connection) -> set[str]:
    """Keys of the safras that tests refused as they are landed."""
    if conn.execute("select to_regclass('controle.safra_reprovada') is null").fetchone()[0]:
        return set()
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada"
        " join controle.safra_reprovada using (ano, distribuidora_id, import_id)"
    )
    return {key for (key,) in rows}


def _published(conn: psycopg.Connection) -> set[str]:
    """Keys of the safras that readers see as they are landed."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return set()
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada"
        " join intel_lead.safra_publicada using (ano, distribuidora_id, import_id)"
    )
    return {key for (key,) in rows}


def _counts(item: Known, wanted: Wanted, regular: set[str]) -> bool:
    """Versions that a newer one replaced, and titles that say nothing, only by their id.

    An extraordinary base too, or by the key where the year has no other: it may be another year's.
    """
    if item.item_id in wanted.named or item.kind == "csv_pj":
        return True
    only_one = item.key in wanted.named and item.key not in regular
    return item.current and (only_one if item.extraordinary else True)


def _task(item: Known, state: _State, wanted: Wanted) -> Task:
    landed, by_name = item.landed_key, wanted.insists(item)
    if landed and not item.changed_since:
        return Task(landed, state.after_landing(landed, by_name=by_name), item)
    if item.kind == "csv_pj" and item.landed_at and not (item.changed_since or by_name):
        return Task(item.key, Step.DONE, item)
    if item.key in state.removed and not by_name:
        return Task(item.key, Step.REMOVED, item, "alguém a removeu; pelo nome volta")
    if item.modelo in UNREAD_MODELS and not by_name:
        return Task(item.key, Step.BY_NAME, item, f"modelo {item.modelo}; pelo nome se tenta")
    there = archive.kept(item)
    if item.refused and there and not item.changed_since and not by_name:
        return Task(item.key, Step.REFUSED, item, item.last_error or "")
    if there and not item.changed_since:
        return Task(item.key, Step.LAND, item)
    if not item.listed:
        return Task(item.key, Step.GONE, item, "não está mais no catálogo, nem no arquivo")
    return Task(item.key, Step.FETCH, item)


def _order(task: Task) -> tuple[int, int, str]:
    year = task.key.rpartition("-")[2]
    return (-int(year) if year.isdigit() else 0, -task.bytes, task.key)


def _dist(key: str) -> int:
    return int(key.split("-")[0])


def _ids(items: Collection[Known]) -> set[str]:
    return {item.item_id for item in items}


def states(conn: psycopg.Connection, items: Iterable[Known]) -> dict[str, str]:
    """Item → what became of it, in a person's words."""
    state = _State(conn)
    return {item.item_id: _word(item, state) for item in items}


def _word(item: Known, state: _State) -> str:
    if item.fault:
        return "ilegível"
    step = _task(item, state, Wanted()).step
    if step in TO_DO and item.extraordinary:
        return "extraordinária"
    return "substituída" if step in TO_DO and item.ano and not item.current else str(step)


def copies(conn: psycopg.Connection) -> dict[str, archive.Copy]:
    """Safra → its copy in the archive: of the version that counts, as it landed or is foretold."""
    found: dict[str, archive.Copy] = {}
    for item in reversed(bookkeeping.known(conn)):
        if item.ano and item.current and (copy := archive.kept(item)):
            found[item.landed_key or item.key] = copy
    return found


def waiting(conn: psycopg.Connection) -> list[Task]:
    """Followed vintages that ANEEL has and readers do not see; for health checks.

    Raises:
        InvalidInput: INTEL_SEGUIR cannot be read.
    """
    found = plan(conn, followed())
    missing = (Step.HELD, Step.FAILED, Step.REFUSED, Step.GONE)
    return [*found.tasks, *(task for task in found.rest if task.step in missing)]


def batches(tasks: list[Task], most: int, most_bytes: int) -> Iterator[list[Task]]:
    """Tasks in their order, so many and so much at a time; one that is larger goes alone."""
    group: list[Task] = []
    for task in tasks:
        full = len(group) >= most or sum(t.bytes for t in group) + task.bytes > most_bytes
        if group and full:
            yield group
            group = []
        group.append(task)
    if group:
        yield group
