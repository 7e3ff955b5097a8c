"""Maps over HTTP: which layers there are (TileJSON), and their tiles (Mapbox Vector Tile).

Belongs here: translating HTTP, tags, gzip. Not here: layers (layers.py), what a tile holds (*.sql).
"""

import gzip
import hashlib
from typing import Annotated

import psycopg
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api import formats, problems, publication
from api.auth.caller import Caller, Reader
from api.maps import layers

MEDIA = "application/vnd.mapbox-vector-tile"
BRAZIL = [-74.0, -34.0, -28.0, 6.0]
CACHING = {
    "Cache-Control": "private, max-age=300",
    "Vary": "Accept-Encoding, Authorization, Cookie",
}
"""A map asks for a hundred tiles at a time: for five minutes it asks for none of them again."""
_MESH = "select coalesce((select malha_id from marts.mart_municipio_mapa limit 1), 0)"
"""A landing draws all anew: any município's file is the newest one."""
router = APIRouter(prefix="/mapas", tags=["Mapa"])
Layer = Annotated[layers.Name, Path(alias="camada")]
Place = Annotated[int, Path(ge=0, description="Como em qualquer mapa da web (XYZ, EPSG:3857).")]


class VectorLayer(BaseModel):
    """What the features of a layer have."""

    id: str = Field(examples=["leads"])
    description: str = Field(examples=["Leads"])
    minzoom: int = Field(examples=[0])
    maxzoom: int = Field(examples=[16])
    fields: dict[str, str] = Field(examples=[{"score": "O da melhor oferta."}])


class TileJson(BaseModel):
    """A layer as map libraries want to be told of it (TileJSON 3.0)."""

    tilejson: str = Field("3.0.0", examples=["3.0.0"])
    name: str = Field(examples=["leads"])
    description: str = Field(examples=["Leads"])
    attribution: str = Field(formats.ATTRIBUTION, examples=[formats.ATTRIBUTION])
    scheme: str = Field("xyz", examples=["xyz"])
    tiles: list[str] = Field(
        examples=[["http://127.0.0.1:8000/api/v1/mapas/leads/{z}/{x}/{y}.mvt"]]
    )
    minzoom: int = Field(examples=[0])
    maxzoom: int = Field(examples=[16])
    bounds: list[float] = Field(BRAZIL, examples=[BRAZIL])
    vector_layers: list[VectorLayer]


def _tilejson(request: Request, name: layers.Name) -> TileJson:
    layer = layers.LAYERS[name]
    first, last = layer.zooms
    address = f"{request.base_url}api/v1/mapas/{name}/{{z}}/{{x}}/{{y}}.mvt"
    shown = VectorLayer(
        id=name, description=layer.summary, minzoom=first, maxzoom=last, fields=dict(layer.fields)
    )
    return TileJson(
        name=name,
        description=layer.summary,
        tiles=[address],
        minzoom=first,
        maxzoom=last,
        vector_layers=[shown],
    )


@router.get("", summary="Que camadas de mapa há")
def list_layers(request: Request, caller: Reader) -> list[TileJson]:
    """Cada uma como TileJSON 3.0."""
    return [_tilejson(request, name) for name in layers.Name]


@router.get("/{camada}", summary="Uma camada, como TileJSON")
def one_layer(request: Request, caller: Reader, name: Layer) -> TileJson:
    """O endereço que uma biblioteca de mapas pede; os blocos querem a mesma credencial."""
    return _tilejson(request, name)


@router.get(
    "/{camada}/{z}/{x}/{y}.mvt",
    summary="Um bloco de mapa",
    response_class=Response,
    responses={
        200: {"content": {MEDIA: {"schema": {"type": "string", "format": "binary"}}}},
        204: {"description": "Não há nada neste bloco"},
        304: {"description": "O que já se tem (If-None-Match) continua o publicado"},
    },
)
def tile(request: Request, caller: Reader, name: Layer, z: Place, x: Place, y: Place) -> Response:
    """Da safra mais nova de cada distribuidora; o que se vê é o mesmo que nas listas."""
    _refuse(name, z, x, y)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    with request.app.state.pools.reading.connection() as conn:
        statement = layers.statement(name, z)
        etag = _tag(conn, request, caller, name, f"{packed} {statement}")
        if known := publication.not_modified(request, etag, CACHING):
            return known
        found = conn.execute(statement, layers.values(name, z, x, y), binary=True).fetchone()
    body, request.state.rows = found
    headers = {"ETag": etag, **CACHING}
    if not body:
        return Response(status_code=204, headers=headers)
    if packed:
        body, headers["Content-Encoding"] = gzip.compress(body, 5), "gzip"
    return Response(body, headers=headers, media_type=MEDIA)


def _refuse(name: layers.Name, z: int, x: int, y: int) -> None:
    first, last = layers.LAYERS[name].zooms
    if not first <= z <= last:
        detail = f"{name} vai do zoom {first} ao {last}"
        raise problems.Refusal(problems.NOT_FOUND, detail)
    if x >= 2**z or y >= 2**z:
        raise problems.Refusal(problems.NOT_FOUND, f"no zoom {z}, x e y vão de 0 a {2**z - 1}")


def _tag(
    conn: psycopg.Connection, request: Request, caller: Caller, name: layers.Name, form: str
) -> str:
    """The ETag: it holds until a publication or a mesh, and while the statement is the same."""
    if not layers.LAYERS[name].by_mesh:
        return publication.tag(conn, request, caller, form)
    (mesh,) = conn.execute(_MESH).fetchone()
    parts = f"{mesh}|{request.url.path}|{form}"
    return f'"{hashlib.sha256(parts.encode()).hexdigest()[:32]}"'
