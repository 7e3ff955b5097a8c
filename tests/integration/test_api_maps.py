"""Tiles: what each layer shows at each zoom, held against the marts, and what is refused.

Belongs here: contents, tags, gzip, ranges, sizes of a made-up Brazil. Not here: the mesh's landing
(test_mesh.py), how fast (bench/api.py).
"""

import gzip
import math
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import numpy as np
import psycopg
import pyogrio
import pytest
import shapely

from api.maps import layers
from api.maps.layers import LAYERS, Name
from loaders.ibge import zoom
from loaders.synthetic.mesh import brazil, write
from tests.integration import warehouse as a
from tests.integration.api_client import Api, running

MAPS = "/api/v1/mapas"
ROUND = 2 * math.pi * 6_378_137.0
"""The Earth's round in EPSG:3857, metres: the side of the tile of zoom 0."""


@pytest.fixture(scope="module")
def api(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on a warehouse with a mesh of all municípios, and more leads than a tile shows."""
    folder = tmp_path_factory.mktemp("api")
    file = write(folder / "brasil.geojson", brazil())
    landed = a.Running(a._loaders, ["malha", str(file)], env=warehouse.env).wait()
    assert landed.ok, landed.trouble
    done = warehouse.build("--select", "municipio_geometria", "municipio_zoom", *a.ALL)
    assert done.ok, done.trouble
    with running(warehouse, folder) as api:
        yield api


def tile(api: Api, name: str, z: int, x: int, y: int, **headers: str) -> httpx.Response:
    return api.get(f"{MAPS}/{name}/{z}/{x}/{y}.mvt", **headers)


def place(longitude: float, latitude: float, z: int) -> tuple[int, int]:
    """Column and row of the tile of a place."""
    north = math.asinh(math.tan(math.radians(latitude)))
    return int((longitude + 180) / 360 * 2**z), int((1 - north / math.pi) / 2 * 2**z)


def features(answer: httpx.Response, folder: Path, z: int, x: int, y: int) -> list[dict]:
    """What GDAL reads of a tile, in EPSG:3857; nothing for an empty one."""
    if answer.status_code == 204:
        return []
    assert answer.status_code == 200, answer.text
    file = folder / f"{z}-{x}-{y}.mvt"
    file.write_bytes(answer.content)
    read = pyogrio.read_dataframe(file, X=x, Y=y, Z=z, CLIP="NO", JSON_FIELD="NO")
    return read.to_dict("records")


def of_brazil(z: int) -> list[tuple[int, int]]:
    """All tiles of a zoom that the country is in."""
    (x0, y0), (x1, y1) = place(-74, 6, z), place(-28, -34, z)
    return [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]


def all_of(api: Api, name: str, z: int, folder: Path) -> list[dict]:
    """The features of a whole zoom."""
    return [f for x, y in of_brazil(z) for f in features(tile(api, name, z, x, y), folder, z, x, y)]


# Municípios ---------------------------------------------------------------------------------------


def test_no_tile_of_all_municipios_is_above_100_kb(api: Api) -> None:
    """Brazil's as made up here; the real mesh's figures are docs/benchmarks.md's."""
    sizes = {}
    for z in range(6):
        for x, y in of_brazil(z):
            answer = tile(api, "municipios", z, x, y)
            assert answer.status_code in (200, 204)
            sizes[z, x, y] = len(gzip.compress(answer.content, 5))
    assert max(sizes.values()) <= 100_000
    assert max(sizes.values()) > 20_000, "hardly the mesh of a country"


def test_every_municipio_is_on_the_map_from_every_distance(api: Api, tmp_path: Path) -> None:
    for z in (0, 3, 5):
        found = {f["mvt_id"] for f in all_of(api, "municipios", z, tmp_path)}
        assert len(found) > 0.99 * len(brazil()), z


def test_neighbours_leave_no_gaps_however_coarse(conn: psycopg.Connection, api: Api) -> None:
    """The polygons of a class are a coverage without a hole."""
    for first in zoom.CLASSES:
        rows = conn.execute(
            "select st_asbinary(geom) from marts.mart_municipio_mapa where zoom_minimo = %s",
            [first],
        )
        shapes = np.array([shapely.from_wkb(wkb) for (wkb,) in rows])
        assert len(shapes) == len(brazil())
        assert shapely.coverage_is_valid(shapes), first
        joined = shapely.coverage_union_all(shapes)
        assert sum(len(p.interiors) for p in shapely.get_parts(joined)) == 0, first


def test_names_come_with_the_zoom_that_has_room(api: Api, tmp_path: Path) -> None:
    x, y = place(-60, -15, 6)
    near = features(tile(api, "municipios", 6, x, y), tmp_path, 6, x, y)
    assert near and all(f["nome"] and len(f["uf"]) == 2 for f in near)
    x, y = place(-60, -15, 5)
    assert "nome" not in features(tile(api, "municipios", 5, x, y), tmp_path, 5, x, y)[0]


# Leads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z", [0, 4, 9])
def test_from_afar_every_lead_is_counted_once(
    api: Api, conn: psycopg.Connection, tmp_path: Path, z: int
) -> None:
    """Leads, energy and the best score, each cell where its leads are."""
    query = (
        "select count(*), sum(energia_anual_kwh)::float, max(melhor_score)::float"
        " from marts.mart_lead where geom is not null"
    )
    leads, energy, best = conn.execute(query).fetchone()
    query = "select longitude, latitude from marts.mart_lead where geom is not null"
    places = conn.execute(query).fetchall()
    tiles = {place(lon, lat, z) for lon, lat in places}
    found = [f for x, y in tiles for f in features(tile(api, "leads", z, x, y), tmp_path, z, x, y)]
    assert sum(f["quantidade_leads"] for f in found) == leads
    assert sum(f["energia_anual_kwh"] or 0 for f in found) == pytest.approx(energy, abs=len(found))
    assert max(f["score"] for f in found) == round(best)
    cells = {place(lon, lat, z + 6) for lon, lat in places}
    assert len(found) == len(cells)


def test_cells_hold_the_sums_of_their_leads(api: Api, conn: psycopg.Connection) -> None:
    """marts.mart_lead_celula, worked out from marts.mart_lead_safra: the table's golden values."""
    rows = conn.execute(
        "select ano, distribuidora_id, longitude, latitude, energia_anual_kwh, melhor_score"
        " from marts.mart_lead_safra where geom is not null"
    ).fetchall()
    expected: dict[tuple, list] = {}
    for year, distributor, lon, lat, energy, score in rows:
        for z in range(10):
            key = (year, distributor, z, *place(lon, lat, z + 6))
            expected.setdefault(key, []).append((lon, lat, energy, score))
    found = conn.execute(
        "select ano, distribuidora_id, zoom, coluna, linha, quantidade_leads, energia_anual_kwh,"
        " melhor_score, longitude, latitude from marts.mart_lead_celula"
    ).fetchall()
    assert {tuple(row[:5]) for row in found} == expected.keys()
    for *key, leads, energy, best, lon, lat in found:
        inside = expected[tuple(key)]
        energies = [e for *_, e, _ in inside if e is not None]
        assert leads == len(inside)
        assert energy == (pytest.approx(sum(energies)) if energies else None)
        assert best == max((s for *_, s in inside if s is not None), default=None)
        assert lon == pytest.approx(sum(one[0] for one in inside) / leads)
        assert lat == pytest.approx(sum(one[1] for one in inside) / leads)


def test_from_near_every_lead_is_itself_in_its_place(
    api: Api, conn: psycopg.Connection, tmp_path: Path
) -> None:
    z = 12
    rows = conn.execute(
        "select uc_id::text, longitude, latitude, melhor_oferta, melhor_score::float"
        " from marts.mart_lead where geom is not null"
    ).fetchall()
    expected = {uc_id: rest for uc_id, *rest in rows}
    found = {}
    for x, y in {place(lon, lat, z) for _, lon, lat, *_ in rows}:
        for f in features(tile(api, "leads", z, x, y), tmp_path, z, x, y):
            found[f["uc_id"]] = f
    assert found.keys() == expected.keys()
    for uc_id, (lon, lat, offer, score) in expected.items():
        east, north = lon / 360 * ROUND, math.asinh(math.tan(math.radians(lat))) * ROUND / math.tau
        point = found[uc_id]["geometry"]
        assert math.hypot(point.x - east, point.y - north) < 2 * ROUND / 2**z / 4096
        assert found[uc_id]["oferta"] == offer
        assert score is None or found[uc_id]["score"] == pytest.approx(score, abs=0.051)


@pytest.mark.parametrize("name", [Name.LEADS, Name.TRANSFORMERS])
def test_what_is_too_much_for_a_tile_is_counted_and_none_is_lost(
    api: Api,
    conn: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: Name,
) -> None:
    count = "quantidade_leads" if name is Name.LEADS else "quantidade"
    relation = "mart_lead" if name is Name.LEADS else "mart_transformador"
    z = 12
    lon, lat = conn.execute(
        f"select longitude, latitude from marts.{relation} where geom is not null limit 1"
    ).fetchone()
    x, y = place(lon, lat, z)
    alone = features(tile(api, name, z, x, y), tmp_path, z, x, y)
    monkeypatch.setattr("api.maps.layers.MOST", len(alone) - 1)
    summed = features(tile(api, name, z, x, y), tmp_path, z, x, y)
    assert sum(f[count] for f in summed) == len(alone) >= len(summed)
    assert "uc_id" not in summed[0] and "transformador" not in summed[0]


# The network --------------------------------------------------------------------------------------


def test_feeders_come_coarser_from_afar_and_whole_from_near(
    api: Api, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """marts.mart_alimentador_mapa against intel_lead.alimentador_geometria."""
    longest = (
        "select zoom_minimo, count(*), sum(st_length(geom)), sum(st_npoints(geom))"
        " from marts.mart_alimentador_mapa group by 1 order by 1"
    )
    by_class = {z: rest for z, *rest in conn.execute(longest)}
    feeders, length, points = conn.execute(
        "select count(*), sum(st_length(st_transform(geom, 3857))), sum(st_npoints(geom))"
        " from intel_lead.alimentador_geometria"
    ).fetchone()
    assert by_class.keys() == {8, 10, 12, 14} == LAYERS[Name.FEEDERS].classes.keys()
    assert by_class[14] == [feeders, pytest.approx(length), points]
    assert by_class[8][2] <= by_class[12][2] <= points
    assert by_class[10][1] == pytest.approx(length, rel=0.3)
    lon, lat = conn.execute(
        "select st_x(p), st_y(p) from (select st_pointonsurface(geom) as p"
        " from intel_lead.alimentador_geometria limit 1) as g"
    ).fetchone()
    x, y = place(lon, lat, 14)
    near = features(tile(api, "alimentadores", 14, x, y), tmp_path, 14, x, y)
    losses = dict(conn.execute("select circuito, perdas_pct from marts.mart_perda_alimentador"))
    assert near and all("LineString" in f["geometry"].geom_type for f in near)
    for f in near:
        shown, known = f.get("perdas_pct"), losses[f["circuito"]]
        assert shown == (None if known is None else pytest.approx(known, abs=0.051)) or (
            known is None and math.isnan(shown)
        )


def test_hexagons_say_what_the_list_says_and_hide_what_it_hides(
    api: Api, conn: psycopg.Connection, tmp_path: Path
) -> None:
    z = 9
    rows = conn.execute(
        "select h.hexagono, h.distribuidora_id, h.quantidade_leads, st_x(st_centroid(h.geom)),"
        " st_y(st_centroid(h.geom)) from marts.mart_hexagono as h where tamanho_m = 2000"
        " and (distribuidora_id, ano) in (select distribuidora_id, max(ano)"
        " from marts.safra_publicada group by 1)"
    ).fetchall()
    expected = {(name, who): leads for name, who, leads, *_ in rows}
    assert None in expected.values(), "no small cell to hide"
    found = {}
    for x, y in {place(lon, lat, z) for *_, lon, lat in rows}:
        for f in features(tile(api, "hexagonos", z, x, y), tmp_path, z, x, y):
            found[f["hexagono"], f["distribuidora_id"]] = f
    assert found.keys() == expected.keys()
    for key, leads in expected.items():
        shown = found[key].get("quantidade_leads")
        assert (shown is None or math.isnan(shown)) if leads is None else shown == leads
        assert bool(found[key].get("suprimido")) is (leads is None)


# HTTP ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(Name))
def test_a_tilejson_leads_to_its_tiles(api: Api, name: Name) -> None:
    said = api.get(f"{MAPS}/{name}").json()
    assert (said["tilejson"], said["scheme"]) == ("3.0.0", "xyz")
    assert "ANEEL" in said["attribution"]
    z, (x, y) = said["minzoom"], place(-52, -28, said["minzoom"])
    address = said["tiles"][0].format(z=z, x=x, y=y)
    assert api.get(address).status_code in (200, 204)
    assert said in api.get(MAPS).json()


def test_a_layers_fields_are_those_of_its_features(
    api: Api, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """What TileJSON names, a tile has; and nothing else of a row goes out."""
    for name, layer in LAYERS.items():
        seen: set[str] = set()
        for z in range(layer.zooms[0], layer.zooms[1] + 1):
            for lon, lat in conn.execute(
                "select longitude, latitude from marts.mart_lead where geom is not null"
                " order by energia_anual_kwh desc nulls last limit 3"
            ).fetchall():
                x, y = place(lon, lat, z)
                for f in features(tile(api, name, z, x, y), tmp_path, z, x, y):
                    seen |= f.keys()
        drop = {"geometry", "mvt_id"} if name is not Name.PLACES else {"geometry"}
        seen = {"id" if one == "mvt_id" else one for one in seen - drop}
        assert seen <= layer.fields.keys(), name
        assert seen, name


def test_a_tile_is_sent_once_and_gzipped(api: Api) -> None:
    x, y = place(-52, -28, 4)
    first = tile(api, "municipios", 4, x, y)
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "max-age" in first.headers["cache-control"]
    etag = first.headers["etag"]
    again = tile(api, "municipios", 4, x, y, **{"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"]
    plain = tile(api, "municipios", 4, x, y, **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content
    assert plain.headers["etag"] != etag


def test_a_tag_holds_until_a_publication_or_a_mesh(api: Api, conn: psycopg.Connection) -> None:
    x, y = place(-52, -28, 4)
    tags = {name: tile(api, name, 4, x, y).headers["etag"] for name in ("municipios", "leads")}
    conn.execute("update intel_lead.safra_publicada set publicada_em = now()")
    after = {name: tile(api, name, 4, x, y).headers["etag"] for name in tags}
    assert after["municipios"] == tags["municipios"]
    assert after["leads"] != tags["leads"]
    conn.execute("update intel_lead.municipio_zoom set malha_id = malha_id + 1")
    assert tile(api, "municipios", 4, x, y).headers["etag"] != tags["municipios"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("municipios/13/0/0", 404),
        ("hexagonos/4/0/0", 404),
        ("leads/3/8/0", 404),
        ("leads/3/0/8", 404),
        ("leads/17/0/0", 404),
        ("leads/-1/0/0", 422),
        ("leads/3/-1/0", 422),
        ("leads/99999999999999999999/0/0", 404),
        ("leads/3/99999999999999999999/0", 404),
        ("leads/3/0/1e1", 422),
        ("residencias/3/0/0", 422),
        ("..%2fleads/3/0/0", 404),
    ],
)
def test_a_tile_that_is_none_is_a_problem(api: Api, path: str, status: int) -> None:
    answer = api.get(f"{MAPS}/{path}.mvt")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_tile_wants_a_credential_and_is_audited(api: Api, conn: psycopg.Connection) -> None:
    x, y = place(-52, -28, 0)
    assert api.http.get(f"{MAPS}/leads/0/{x}/{y}.mvt").status_code == 401
    assert api.get(f"{MAPS}/leads/0/{x}/{y}.mvt", "dispositivo").status_code == 403
    assert api.get(f"{MAPS}/leads/0/{x}/{y}.mvt", "parceiro").status_code == 200
    who, rows = conn.execute(
        "select usuario, linhas from app.auditoria where caminho like %s and status = 200"
        " order by id desc limit 1",
        [f"{MAPS}/leads/%"],
    ).fetchone()
    assert (who, rows > 0) == ("parceiro", True)


def test_as_many_leads_as_a_tile_shows_fit_into_250_kb(conn: psycopg.Connection) -> None:
    """With nothing in common: names, scores, places."""
    body = a.value(
        conn,
        "select st_asmvt(f, 'leads', 4096, 'geom') from (select gen_random_uuid()::text as uc_id,"
        " round(random() * 1e7) as energia_anual_kwh, round(random()::numeric * 100, 1)::float8"
        " as score, (array['migracao', 'arbitragem', 'backup'])[1 + n % 3] as oferta,"
        " 1 + n % 50 as distribuidora_id, st_makepoint((random() * 4096)::integer,"
        f" (random() * 4096)::integer) as geom from generate_series(1, {layers.MOST}) as n) as f",
    )
    assert 100_000 < len(gzip.compress(bytes(body), 5)) <= 250_000
