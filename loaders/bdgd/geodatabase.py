"""An Esri file geodatabase of ANEEL's BDGD as a source: what it holds, streamed layer by layer.

Belongs here: opening with GDAL, BASE, geometry to coordinates. Not here: PostgreSQL, column types.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from loaders.bdgd import shapes, zip_archive
from loaders.bdgd.columns import (
    Match,
    convert,
    match_columns,
    rows_of_another_distribuidora,
    whole_number,
)
from loaders.bdgd.gdal_warnings import open_once, refused, short
from loaders.bdgd.gdb_tables import Choice, check_not_compressed, check_opened, check_tables, choose
from loaders.bdgd.kinds import identify
from loaders.bdgd.layers import ALL_LAYERS, DECISIVE_LAYERS, PONNOT, RENAMES, UC_LAYERS, Layer
from loaders.bdgd.points import count_several, read_points
from loaders.bdgd.source import Source
from loaders.bdgd.transfer import Batch, number_rows
from loaders.errors import InvalidInput
from loaders.safra import Safra, read_date

log = logging.getLogger(__name__)

MAIN_LAYERS = (*UC_LAYERS, PONNOT)
"""The layers without which a geodatabase is none of ours: one at least must be there."""

_ROWS_PER_BATCH = 5_000
_DATUM = 4674
_FILE_NAME = re.compile(r"_(?P<dist>\d+)_(?P<data>\d{4}-\d{2}-\d{2})_")

_UNREADABLE = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException)
"""What GDAL and Arrow raise on damaged bytes."""


@dataclass(frozen=True)
class _LayerInFile:
    """One layer as it is in the file; ``notes`` are what a person should know of it."""

    name: str
    rows: int
    match: Match
    geometry: bool
    crs: str | None
    notes: tuple[str, ...]


@contextmanager
def opened(
    path: Path, *, safra: Safra | None = None, without: frozenset[str] = frozenset()
) -> Iterator[Source]:
    """Open a ``.gdb`` folder, or a zip with one inside.

    Args:
        path: folder or zip.
        safra: the vintage, for a file that does not say it.
        without: layers (``UCBT``) that a person says this copy lacks.

    Raises:
        InvalidInput: not a geodatabase, unreadable, two BASE rows, no layer to land, no vintage;
            a layer of ``without`` is there, or another one's data are not.
    """
    with _folder(path) as folder:
        try:
            with refused(path.name):
                source = _source(folder, path.name, safra, without)
            yield source
        except _UNREADABLE as error:
            raise InvalidInput(
                f"{path.name}: o GDAL não lê a geodatabase («{short(error)}»);"
                " baixe o arquivo de novo"
            ) from error


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    found = identify(path)
    if found.member is None or found.layer:
        raise InvalidInput(f"{path.name}: não é uma geodatabase")
    with (
        zip_archive.opened(path) as zipped,
        zip_archive.extract(zipped, PurePosixPath(found.member), "bdgd.gdb") as folder,
    ):
        yield folder


def _source(folder: Path, file: str, safra: Safra | None, without: frozenset[str]) -> Source:
    names = _layer_names(folder, file, without)
    choices = [(c, choose(folder, file, names, *c.names)) for c in ALL_LAYERS]
    layers = {c.name: _describe(folder, file, c, e) for c, e in choices if e}
    present_ones = [c for c in MAIN_LAYERS if c.name in layers]
    if not present_ones:
        raise InvalidInput(f"{file}: nenhuma das camadas UCAT, UCMT, UCBT, PONNOT; não é uma BDGD")
    if not any(layers[c.name].rows for c in present_ones):
        raise InvalidInput(
            f"{file}: {', '.join(c.name for c in present_ones)} sem nenhuma linha;"
            " baixe o arquivo de novo"
        )
    notices: list[str] = []
    vintage = _safra_of_base(folder, file, names, safra)
    if vintage is None:
        vintage = safra or _guessed_safra(folder, file, [layers[c.name] for c in present_ones])
        notices.append(f"sem BASE: safra {vintage.key} pela opção --safra ou pelo nome do arquivo")

    def batches(layer: Layer) -> Iterator[Batch]:
        return _batches(folder, file, layers[layer.name], vintage)

    return Source(
        safras=(vintage,),
        layers=ALL_LAYERS,
        rows={(vintage, name): c.rows for name, c in layers.items()},
        remarks={
            c.name: (*notices, *_remarks(layers.get(c.name), declared=c.name in without))
            for c in ALL_LAYERS
        },
        batches=batches,
        lacking=without,
    )


def _layer_names(folder: Path, file: str, without: frozenset[str]) -> list[str]:
    try:
        check_not_compressed(folder, file)
        gone = check_tables(folder, file, without)
        open_once(folder)
        names = [str(name) for name in pyogrio.list_layers(folder)[:, 0] if name not in gone]
        check_opened(folder, file, {*names, *gone})
    except _UNREADABLE as error:
        raise InvalidInput(
            f"{file}: não é uma geodatabase legível («{short(error)}»); baixe o arquivo de novo"
        ) from error
    return names


def _describe(folder: Path, file: str, layer: Layer, choice: Choice) -> _LayerInFile:
    name, notes = choice.name, list(choice.notes)
    info = choice.info
    floats = {
        str(c).lower()
        for c, dtype in zip(info["fields"], info["dtypes"], strict=True)
        if str(dtype).startswith("float")
    }
    renames = RENAMES
    if layer.in_m10 and name.upper().removesuffix("_TAB") == layer.in_m10[0]:
        from_code = {old: n for old, n in layer.in_m10[1].items() if old not in floats}
        renames = RENAMES | from_code
    match = match_columns(layer, [str(c) for c in info["fields"]], renames)
    if not match.sources:
        raise InvalidInput(f"{file}: camada {name} sem nenhuma coluna da BDGD")
    dtype = str(info["geometry_type"])
    points = "point_x" in layer.columns and "Point" in dtype
    forms = "geom" in layer.columns and info["geometry_type"] is not None
    with_points = points or {"point_x", "point_y"} <= {*match.sources}
    if layer == PONNOT and choice.rows and not with_points:
        raise InvalidInput(
            f"{file}: camada {name} sem pontos (geometria {dtype}) e sem POINT_X e POINT_Y;"
            " corrija o arquivo"
        )
    if points and "Multi" in dtype and (several := _with_several_points(folder, name)):
        notes.append(f"{several} linhas com mais de um ponto: vale o primeiro")
    return _LayerInFile(
        name=name,
        rows=choice.rows,
        match=match,
        geometry=points or forms,
        crs=info["crs"] if points or forms else None,
        notes=tuple(notes),
    )


def _with_several_points(folder: Path, name: str) -> int:
    with pyogrio.open_arrow(folder, layer=name, columns=[], use_pyarrow=True) as (meta, reader):
        column = meta["geometry_name"] or "wkb_geometry"
        return sum(count_several(batch.column(column)) for batch in reader)


def _remarks(layer: _LayerInFile | None, *, declared: bool) -> list[str]:
    if layer is None:
        how = "desta cópia, como declarado (--sem-camada)" if declared else "no arquivo"
        return [f"camada ausente {how}"]
    notices = [*layer.notes, *([] if layer.rows else ["camada vazia no arquivo"])]
    if layer.match.unknown:
        notices.append("colunas não carregadas: " + ", ".join(layer.match.unknown))
    notices += layer.match.months_missing
    if "cod_id" not in layer.match.sources:
        notices.append("sem COD_ID: chave pela linha")
    if layer.geometry and layer.crs is None:
        notices.append("sem sistema de coordenadas: lido como SIRGAS 2000")
    return notices


def _safra_of_base(folder: Path, file: str, names: list[str], asked: Safra | None) -> Safra | None:
    """The vintage that BASE gives; None when the file has no usable BASE and one was asked for."""
    choice = choose(folder, file, names, "BASE")
    rows = _read_records(folder, choice.name) if choice else []
    if len(rows) > 1:
        raise InvalidInput(
            f"{file}: camada BASE com {len(rows)} linhas, deve ter uma; corrija o arquivo"
        )
    if not rows:
        return None
    base = {key.lower(): value for key, value in rows[0].items()}
    dist, data_base = whole_number(base.get("dist")), read_date(base.get("dat_fnl"))
    if dist is None or data_base is None:
        if asked:
            return None
        raise InvalidInput(
            f"{file}: camada BASE sem DIST ou DAT_FNL legível"
            f" ({base.get('dist')!r}, {base.get('dat_fnl')!r}); informe --safra, como 401-2024"
        )
    try:
        vintage = Safra.from_date(dist, data_base)
    except InvalidInput as error:
        raise InvalidInput(f"{file}: camada BASE: {error}; corrija o arquivo") from None
    if asked and asked != vintage:
        raise InvalidInput(
            f"{file}: BASE diz safra {vintage.key}, mas foi pedida {asked.key};"
            " tire a opção --safra"
        )
    return vintage


def _read_records(
    folder: Path, name: str, columns: list[str] | None = None
) -> list[dict[str, Any]]:
    with pyogrio.open_arrow(
        folder, layer=name, columns=columns, read_geometry=False, use_pyarrow=True
    ) as (_, reader):
        return reader.read_all().to_pylist()


def _guessed_safra(folder: Path, file: str, present_ones: list[_LayerInFile]) -> Safra:
    """Without BASE: the one DIST of the rows and the date in the file's name, or nothing."""
    dists = set()
    for layer in present_ones:
        column = layer.match.sources.get("dist")
        if column:
            dists |= {row[column] for row in _read_records(folder, layer.name, [column])}
    dists.discard(None)
    in_name = _FILE_NAME.search(file)
    data_base = read_date(in_name["data"]) if in_name else None
    dist = whole_number(dists.pop()) if len(dists) == 1 else None
    if dist is None or data_base is None:
        raise InvalidInput(
            f"{file}: sem camada BASE, e a safra não se deduz das linhas e do nome do arquivo;"
            " informe --safra distribuidora-ano, como --safra 401-2024"
        )
    return Safra.from_date(dist, data_base)


def _batches(folder: Path, file: str, layer: _LayerInFile, safra: Safra) -> Iterator[Batch]:
    where, row, foreign = f"{file}: camada {layer.name}", 1, 0
    try:
        with ExitStack() as stack:
            with refused(where):
                meta, reader = stack.enter_context(_open_layer(folder, layer))
            geometry = (meta["geometry_name"] or "wkb_geometry") if layer.geometry else None
            while (raw := _next(reader, where)) is not None:
                data = convert(raw, layer.match, file=file)
                if geometry and "geom" in layer.match.layer.columns:
                    para_sirgas = partial(_in_sirgas, file, layer)
                    forms = shapes.to_ewkb(raw.column(geometry), para_sirgas, _DATUM)
                    data = data.append_column("geom", forms)
                elif geometry:
                    x, y = _in_sirgas(file, layer, *read_points(raw.column(geometry)))
                    data = _with_coordinates(data, x, y)
                foreign += rows_of_another_distribuidora(data, safra.distribuidora_id)
                yield Batch(safra, data, number_rows(row, data.num_rows))
                row += data.num_rows
    except _UNREADABLE as error:
        raise InvalidInput(
            f"{where} ilegível na linha {row} ou depois («{short(error)}»); baixe o arquivo de novo"
        ) from error
    if row - 1 != layer.rows:
        raise InvalidInput(
            f"{where} diz ter {layer.rows} linhas, mas {row - 1} foram lidas;"
            " baixe o arquivo de novo"
        )
    if foreign:
        said = (
            f"{where}, coluna DIST: {foreign} linhas não são da"
            f" distribuidora {safra.distribuidora_id} de BASE"
        )
        if layer.match.layer in DECISIVE_LAYERS:
            raise InvalidInput(f"{said}; corrija o arquivo")
        log.warning("%s", said)


def _open_layer(folder: Path, layer: _LayerInFile) -> Any:  # noqa: ANN401 - pyogrio has no name for it
    return pyogrio.open_arrow(
        folder,
        layer=layer.name,
        columns=list(layer.match.sources.values()),
        read_geometry=layer.geometry,
        batch_size=_ROWS_PER_BATCH,
        use_pyarrow=True,
    )


def _next(reader: pa.RecordBatchReader, where: str) -> pa.RecordBatch | None:
    with refused(where):
        return next(reader, None)


def _in_sirgas(
    file: str, layer: _LayerInFile, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in SIRGAS 2000, whatever the layer's own system."""
    if not layer.crs or layer.crs == f"EPSG:{_DATUM}":
        return x, y
    from pyproj import Transformer  # rare, and slow to import
    from pyproj.exceptions import ProjError

    try:
        return Transformer.from_crs(layer.crs, _DATUM, always_xy=True).transform(x, y)
    except ProjError:
        raise InvalidInput(
            f"{file}: camada {layer.name}: o sistema de coordenadas {layer.crs[:60]!r} não se"
            " converte para SIRGAS 2000; exporte em EPSG:4674"
        ) from None


def _with_coordinates(data: pa.RecordBatch, x: np.ndarray, y: np.ndarray) -> pa.RecordBatch:
    """The geometry's coordinates; where it has none, those of POINT_X and POINT_Y."""
    placed = np.isfinite(x) & np.isfinite(y)
    for name, values in (("point_x", x), ("point_y", y)):
        from_geometry = pa.array(values, mask=~placed)
        if name in data.schema.names:
            index = data.schema.get_field_index(name)
            data = data.set_column(index, name, pc.coalesce(from_geometry, data.column(name)))
        else:
            data = data.append_column(name, from_geometry)
    return data
