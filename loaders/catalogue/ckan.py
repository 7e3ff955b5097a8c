"""The three ``_pj`` CSVs, as ANEEL's CKAN lists them.

Belongs here: which resources they are, what CKAN says of them. Not here: CKAN's answers in general
(open_data/sources.py), landing (loaders/bdgd).
"""

import re

from loaders import environment
from loaders.catalogue.hub import Reading, moment, plausible_size
from loaders.catalogue.item import Item, Kind
from loaders.errors import SourceFailure
from loaders.open_data import sources
from loaders.open_data.client import Client

PORTAL = "https://dadosabertos.aneel.gov.br"
PACKAGE = "4459e483-451f-4444-8022-bd8b5eac05c5"
NAMES = ("ucat_pj", "ucmt_pj", "ucbt_pj")
_NAMED = re.compile(r"\b(uc[abm]t_pj)\b", re.IGNORECASE)


def read(client: Client) -> Reading:
    """The three CSVs.

    Raises:
        SourceFailure: CKAN does not answer as it should, or has none of them any more.
    """
    portal = environment.setting("INTEL_CATALOGO_CKAN_ENDERECO", PORTAL).rstrip("/")
    url = f"{portal}/api/3/action/package_show"
    found = {}
    for resource in sources.resources(client.json(url, {"id": PACKAGE}), url):
        said = f"{resource.get('name', '')} {resource.get('url', '')}"
        name = _NAMED.search(said.replace("-", "_"))
        if name and resource.get("url"):
            size = resource.get("size")
            found[name[1].lower()] = Item(
                item_id=str(resource.get("id") or resource["url"]),
                source="ckan",
                kind=Kind.CSV,
                title=name[1].lower(),
                url=str(resource["url"]),
                modified_at=moment(resource.get("last_modified") or resource.get("created")),
                size=plausible_size(size),
            )
    if not found:
        raise SourceFailure(f"{url}: o portal já não tem os CSV _pj da BDGD; nada mudou")
    missing = [name for name in NAMES if name not in found]
    remark = f"o portal não mostrou {', '.join(missing)}" if missing else ""
    return Reading(tuple(found.values()), not missing, remark)
