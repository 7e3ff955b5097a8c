"""/ogc as GIS tools see it: GDAL reads it, the gate and the rules are the API's, filters are tame.

Not here: tiles (test_api_maps.py), the lists (test_api_lists.py).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import psycopg
import pytest

from loaders.companies.contacts import CONTACTS
from tests.integration import warehouse as a
from tests.integration.api_client import Api, running
from tests.integration.api_server import served
from tests.unit.test_mesh import SQUARES, geojson

OGC = "/ogc/collections"


@pytest.fixture(scope="module")
def api(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on a warehouse with two municípios' polygons."""
    folder = tmp_path_factory.mktemp("api")
    mesh = geojson(folder / "m.geojson", SQUARES)
    assert a.Running(a._loaders, ["malha", str(mesh)], env=warehouse.env).wait().ok
    done = warehouse.build("--select", "municipio_geometria", "municipio_zoom", *a.ALL)
    assert done.ok, done.trouble
    with running(warehouse, folder) as api:
        yield api


def test_it_conforms_to_nothing_that_it_does_not_serve(api: Api) -> None:
    """There are no pages in HTML here."""
    said = api.get("/ogc/conformance").json()["conformsTo"]
    assert [one for one in said if "html" in one] == []
    assert any(one.endswith("ogcapi-features-1/1.0/conf/core") for one in said)


SIZES = {
    "leads": "select count(*) from marts.mart_lead where geom is not null",
    "municipios": "select count(*) from marts.mart_municipio_mapa where zoom_minimo = 9",
    "hexagonos": "select count(*) from marts.mart_hexagono where (distribuidora_id, ano) in"
    " (select distribuidora_id, max(ano) from marts.safra_publicada group by 1)",
    "alimentadores": "select count(*) from marts.mart_alimentador_mapa where zoom_minimo = 14"
    " and (distribuidora_id, ano) in"
    " (select distribuidora_id, max(ano) from marts.safra_publicada group by 1)",
}


@pytest.mark.parametrize("name", SIZES)
def test_gdal_reads_every_feature_of_a_collection_once(
    api: Api, warehouse: a.Warehouse, conn: psycopg.Connection, name: str
) -> None:
    """By the driver that QGIS uses, with a partner's key, page after page."""
    key = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": api.keys["parceiro"]}
    with served(api, warehouse) as port:
        command = [sys.executable, "-c", READ, f"OAPIF:http://127.0.0.1:{port}/ogc", name]
        done = subprocess.run(command, env={**os.environ, **key}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    read = json.loads(done.stdout)
    assert len(read["ids"]) == a.value(conn, SIZES[name]) > 0
    assert len(set(read["ids"])) == len(read["ids"])
    assert read["places"] == len(read["ids"])
    assert read["crs"] == "EPSG:4326"
    assert read["bounds"][0] > -74 and read["bounds"][3] < 6
    if name == "leads":
        mine = {str(u) for (u,) in conn.execute("select uc_id from marts.mart_lead")}
        assert set(read["ids"]) <= mine


READ = """
import json, sys
import pyogrio

found = pyogrio.read_dataframe(sys.argv[1], layer=sys.argv[2])
key = {"leads": "uc_id", "municipios": "municipio_id"}.get(sys.argv[2], "id")
said = {"ids": found[key].astype(str).tolist(), "places": int(found.geometry.notna().sum())}
said |= {"crs": found.crs.to_string(), "bounds": found.total_bounds.tolist()}
print(json.dumps(said))
"""


def pages(api: Api, path: str) -> list[dict]:
    """All features behind a list's `next` links."""
    found: list[dict] = []
    while path:
        page = api.get(path).json()
        found += page["features"]
        links = {link["rel"]: link["href"] for link in page["links"]}
        path = links.get("next", "")
    return found


@pytest.mark.parametrize("name", SIZES)
def test_pages_hold_each_feature_once(api: Api, conn: psycopg.Connection, name: str) -> None:
    size = a.value(conn, SIZES[name])
    found = pages(api, f"{OGC}/{name}/items?limit={max(1, size // 3)}")
    assert len({f["id"] for f in found}) == len(found) == size


def test_one_feature_is_found_by_its_id(api: Api) -> None:
    assert api.get(f"{OGC}/leads/items/%00").status_code in (404, 422)
    for name in SIZES:
        first = api.get(f"{OGC}/{name}/items?limit=1").json()["features"][0]
        again = api.get(f"{OGC}/{name}/items/{first['id']}")
        assert again.json()["properties"] == first["properties"], name
        assert api.get(f"{OGC}/{name}/items/nenhuma").status_code in (404, 422)


def test_numbers_are_numbers(api: Api) -> None:
    """GIS programs sort text as text: 6.9 above 59.4."""
    for name in SIZES:
        asked = api.get(f"{OGC}/{name}/queryables").json()["properties"]
        numbers = {column for column, kind in asked.items() if kind.get("type") == "number"}
        rows = [f["properties"] for f in api.get(f"{OGC}/{name}/items?limit=50").json()["features"]]
        found = [(column, row[column]) for row in rows for column in numbers if column in row]
        assert [x for x in found if isinstance(x[1], str)] == [], name
        assert name != "leads" or "melhor_score" in numbers


FILTERS = {
    "uf = 'RS'": "uf = 'RS'",
    "energia_anual_kwh > 20000 and not (livre = true)": "energia_anual_kwh > 20000 and not livre",
    "segmento_mercado_id in ('COMERCIO', 'INDUSTRIA') or origem = 'UCMT'": (
        "segmento_mercado_id in ('COMERCIO', 'INDUSTRIA') or origem = 'UCMT'"
    ),
    "melhor_score between 20 and 60": "melhor_score between 20 and 60",
    "cep is null": "cep is null",
    "s_intersects(geom, POLYGON((-53 -29, -51 -29, -51 -27, -53 -27, -53 -29)))": (
        "geom && st_makeenvelope(-53, -29, -51, -27, 4674)"
    ),
}


@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_finds_what_sql_finds(api: Api, conn: psycopg.Connection, asked: str) -> None:
    answer = api.http.get(
        f"{OGC}/leads/items", params={"filter": asked, "limit": 1000}, headers=api.bearer("leitor")
    )
    where = f"geom is not null and ({FILTERS[asked]})"
    query = f"select uc_id::text from marts.mart_lead where {where}"
    assert answer.status_code == 200, answer.text
    assert {f["id"] for f in answer.json()["features"]} == {u for (u,) in conn.execute(query)}


HOSTILE = [
    "set_config('role', 'none', false) = 'x'",
    "pg_sleep(9) is null",
    "query_to_xml('select 1', true, true, '') = 'x'",
    "\"st_astext\"(geom) = 'x'",
    "current_user = 'x'",
    "uf = 'x' or pg_read_file('/etc/passwd') = 'x'",
    '"uf"" or true --" = 1',
    "uf = $1",
    "uf = 'x\\' or true --'",
    "uf; drop table app.usuario",
    "a" * 5000,
    "(" * 3000 + "uf = 'x'" + ")" * 3000,
    "not " * 900 + "uf = 'x'",
    '{"op": "pg_sleep", "args": [9]}',
    '{"op": "=", "args": [{"property": "uf"}, {"op": "version", "args": []}]}',
    '{"op": "=", "args": [{"property": "geom); --"}, 1]}',
    '{"op": "and", "args": []}',
    "{}",
    "[]",
    "\0",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_filter_says_nothing_but_comparisons(api: Api, number: int) -> None:
    """Cql2 writes names of functions as they come: what is not on the list is refused before."""
    answer = api.http.get(
        f"{OGC}/leads/items", params={"filter": HOSTILE[number]}, headers=api.bearer("leitor")
    )
    too_long = len(str(answer.request.url)) > 8192
    assert answer.status_code == (414 if too_long else 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "bbox=a,b,c,d",
        "bbox=1,2,3",
        "bbox=nan,nan,nan,nan",
        "sortby=nada",
        "sortby=uf;select",
        "limit=-1",
        "limit=1e9",
        "offset=-1",
        "offset=99999999999999999999",
        "simplify=nan",
        "simplify=x",
        "geom-column=nada",
        "datetime=x",
        "datetime=a/b/c",
        "ids=%27%20or%20true",
        "livre=talvez",
        "energia_anual_kwh=x",
        "filter-lang=sql&filter=uf",
        "foo=1",
        "f=html",
        "crs=http://x",
        "properties=nome,senha",
        "uf=%00",
        "filter=uf%3D'%00'",
    ],
)
def test_a_parameter_that_is_none_is_a_problem(api: Api, query: str) -> None:
    answer = api.get(f"{OGC}/leads/items?{query}")
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "name",
    [
        "marts.mart_lead",
        "mart_lead_empresa",
        "intel_lead.lead_bruto",
        "pg_catalog.pg_authid",
        "app.usuario",
        "",
        "%00",
    ],
)
def test_there_is_nothing_beside_the_collections(api: Api, name: str) -> None:
    assert [c["id"] for c in api.get(OGC).json()["collections"]] == list(SIZES)
    if name:
        wanted = 422 if name == "%00" else 404
        assert api.get(f"{OGC}/{name}").status_code == wanted
        assert api.get(f"{OGC}/{name}/items").status_code == wanted


PATHS = ["/ogc/", "/ogc/conformance", OGC, f"{OGC}/leads", f"{OGC}/leads/items?limit=1"]


@pytest.mark.parametrize("path", [*PATHS, f"{OGC}/leads/queryables", f"{OGC}/leads/items/x"])
def test_the_gate_is_the_apis(api: Api, path: str) -> None:
    refused = api.http.get(path)
    assert refused.status_code == 401
    assert refused.json()["type"] == "urn:intel-lead:problema:sem-credencial"
    assert api.get(path, "dispositivo").status_code == 403


def test_what_is_handed_out_is_audited(api: Api, conn: psycopg.Connection) -> None:
    answer = api.get(f"{OGC}/leads/items?limit=7", "parceiro")
    found = conn.execute(
        "select usuario, linhas, caminho from app.auditoria where pedido = %s",
        [answer.headers["x-request-id"]],
    ).fetchone()
    assert found == ("parceiro", 7, f"{OGC}/leads/items")


def test_nothing_goes_out_that_lists_do_not_show(api: Api) -> None:
    shown = api.app.state.marts["mart_lead"].keys() - CONTACTS
    lead = api.get(f"{OGC}/leads/items?limit=1").json()["features"][0]
    assert lead["properties"].keys() <= shown
    cells = api.get(f"{OGC}/hexagonos/items?limit=1000").json()["features"]
    hidden = [c["properties"] for c in cells if c["properties"]["suprimido"]]
    assert hidden and all(c["quantidade_leads"] is None for c in hidden)


def test_neither_pages_with_scripts_nor_csv(api: Api) -> None:
    for path in (*PATHS, f"{OGC}/leads/queryables"):
        for form in ("html", "csv"):
            mark = "&" if "?" in path else "?"
            answer = api.get(f"{path}{mark}f={form}", Accept="text/html")
            assert answer.status_code in (200, 422)
            assert "json" in answer.headers["content-type"]
            json.loads(answer.content)


def test_its_connections_are_a_readers(api: Api) -> None:
    """After a reset too, which is what a pool does between two requests."""

    async def ask() -> list[asyncpg.Record]:
        async with api.app.state.pool.acquire() as conn:
            await conn.execute("reset all")
            await conn.execute("reset role")
            return await conn.fetchrow(
                "select current_user::text, current_setting('transaction_read_only'),"
                " current_setting('statement_timeout')"
            )

    assert tuple(api.http.portal.call(ask)) == ("intel_api", "on", "30s")
