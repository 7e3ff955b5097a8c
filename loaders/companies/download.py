"""A month's parts of the registry from the Receita's public share (WebDAV), into a folder.

Belongs here: which months and parts the share has, what is on disk already, what is whole. Not
here: requests (open_data/client.py), what a delivery is (delivery.py). The partners'
tables, who are persons, are never asked for.
"""

import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from loaders.companies import layout
from loaders.companies.landing import Bar
from loaders.companies.layout import Kind
from loaders.environment import CLONE
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client, Patience

SHARE = "https://arquivos.receitafederal.gov.br/public.php/dav/files/YggdBLfdninEJX9/"
"""Since January 2026; it moves every year or two: INTEL_EMPRESAS_ENDERECO says another."""
NEWEST = "ultimo"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_DAV = "{DAV:}"
_MOST_BYTES = 8 * 2**30
_REMEDY = (
    "Tente de novo (o que já veio fica), diga outro endereço em INTEL_EMPRESAS_ENDERECO, ou baixe a"
    " pasta do mês por fora"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A file of the share: its name, bytes, and the tag that a change of it changes."""

    name: str
    size: int
    tag: str

    @property
    def beginning(self) -> str:
        """What the file is called while only its beginning is here."""
        return f"{self.name}.{re.sub('[^0-9A-Za-z]', '', self.tag)[:40]}.part"


def folder() -> Path:
    """Where deliveries are kept, a folder a month: INTEL_EMPRESAS, else .local/empresas."""
    return Path(os.environ.get("INTEL_EMPRESAS") or Path(CLONE) / ".local" / "empresas")


class Share:
    """The public share, asked as told."""

    def __init__(self, address: str = "", patience: Patience | None = None) -> None:
        """Nothing is asked yet; without an address INTEL_EMPRESAS_ENDERECO's, else SHARE."""
        said = address or os.environ.get("INTEL_EMPRESAS_ENDERECO") or SHARE
        self._address = said.rstrip("/") + "/"
        self._client = Client(patience, remedy=_REMEDY)

    def month(self, asked: str) -> str:
        """The month that ``asked`` names, or the newest; ``AAAA-MM``.

        Raises:
            InvalidInput: the share has no such month.
            SourceFailure: it does not answer, or not as a share.
        """
        found = sorted(name for name in self._listing("") if _MONTH.fullmatch(name))
        if not found:
            raise SourceFailure(f"{self._address}: nenhum mês (pastas AAAA-MM) ali. {_REMEDY}")
        if asked == NEWEST:
            return found[-1]
        if asked not in found:
            raise InvalidInput(
                f"{asked}: a Receita não publica esse mês; há de {found[0]} a {found[-1]}"
            )
        return asked

    def parts(self, month: str) -> list[Remote]:
        """The month's files of the tables that land.

        Raises:
            SourceFailure: a table is not there (yet): the month is being published.
        """
        listed = self._listing(f"{month}/").values()
        found = [r for r in listed if layout.kind_of_name(r.name) and r.name.endswith(".zip")]
        kinds = {layout.kind_of_name(r.name) for r in found}
        if missing := [kind for kind in Kind if kind not in kinds]:
            raise SourceFailure(
                f"{month}: a Receita ainda não publicou {' e '.join(missing)}; tente outro dia"
            )
        return sorted(found, key=lambda r: r.name)

    def fetch(self, month: str, into: Path, bar: Bar) -> Path:
        """Have the month's parts in a folder of its name; those that are there whole stay.

        Raises:
            InvalidInput: the disk has no room for what is missing, or refuses to be written.
            SourceFailure: a part did not come whole; what came of it is gone on with next time.
        """
        target = into / month
        wanted = missing(self.parts(month), target)
        try:
            target.mkdir(parents=True, exist_ok=True)
            _room_for(wanted, target)
            for remote in wanted:
                self._part(month, remote, target, bar)
        except OSError as error:
            raise InvalidInput(
                f"{target}: não se pode gravar ({error.strerror}); outra pasta: INTEL_EMPRESAS"
            ) from error
        return target

    def _part(self, month: str, remote: Remote, target: Path, bar: Bar) -> None:
        begun = target / remote.beginning
        for other in target.glob(f"{remote.name}.*.part"):
            if other != begun or other.stat().st_size > remote.size:
                other.unlink()
        with bar(remote.name, remote.size) as advance:
            if not begun.exists() or begun.stat().st_size < remote.size:
                self._client.download(
                    f"{self._address}{month}/{quote(remote.name)}",
                    begun,
                    most_bytes=_MOST_BYTES,
                    begun_of=remote.tag,
                    progress=advance,
                )
        if (size := begun.stat().st_size) != remote.size:
            begun.unlink()
            raise SourceFailure(
                f"{remote.name}: vieram {size} bytes, a lista diz {remote.size}. {_REMEDY}"
            )
        begun.replace(target / remote.name)
        log.info("%s: baixado, %.0f MB", remote.name, remote.size / 2**20)

    def _listing(self, path: str) -> dict[str, Remote]:
        """Name → file or folder, one level below."""
        url = f"{self._address}{path}"
        try:
            answers = ElementTree.fromstring(self._client.propfind(url))
        except ElementTree.ParseError:
            raise SourceFailure(f"{url}: não é uma pasta WebDAV. {_REMEDY}") from None
        found = {}
        for one in list(answers.iter(f"{_DAV}response"))[1:]:
            name = PurePosixPath(unquote(one.findtext(f"{_DAV}href") or "")).name
            size = next(one.iter(f"{_DAV}getcontentlength"), None)
            tag = next(one.iter(f"{_DAV}getetag"), None)
            found[name] = Remote(
                name,
                int(size.text or 0) if size is not None else 0,
                (tag.text or "") if tag is not None else "",
            )
        return found


def missing(parts: list[Remote], target: Path) -> list[Remote]:
    """Those that are not in a folder with their whole size."""

    def there(remote: Remote) -> bool:
        path = target / remote.name
        return path.exists() and path.stat().st_size == remote.size

    return [remote for remote in parts if not there(remote)]


def _room_for(wanted: list[Remote], target: Path) -> None:
    begun = sum(p.stat().st_size for p in target.glob("*.part"))
    needed = sum(remote.size for remote in wanted) - begun
    free = shutil.disk_usage(target).free
    if needed > free:
        raise InvalidInput(
            f"{target}: faltam {needed / 2**30:.1f} GB para baixar e há {free / 2**30:.1f} GB"
            " livres; outra pasta: INTEL_EMPRESAS"
        )
