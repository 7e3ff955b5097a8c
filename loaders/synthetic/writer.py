"""A synthetic BDGD: a File Geodatabase with ANEEL's layers, columns and faults, from a seed.

Belongs here: batches of rows, GDAL, the zip. Not here: what stands in them (units.py, faults.py).
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio

from loaders.bdgd.layers import ALL_LAYERS, UC_LAYERS, Layer
from loaders.synthetic import anomalies
from loaders.synthetic.faults import history, spoil
from loaders.synthetic.form import WIDTHS, layer_schema
from loaders.synthetic.network import NETWORK_LAYERS, to_arrow
from loaders.synthetic.recipe import MUNICIPIOS, Fault, Model, Municipio, Recipe, Summary
from loaders.synthetic.units import BLOCK, PROFILES, Poles, poles_of, size_of, ucs_of, window


def _batches(
    recipe: Recipe, layer: Layer, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """Batches of a UC layer; counts what it yields into ``summary``."""
    summary.kwh[layer.name] = np.zeros(12)
    summary.rows[layer.name] = summary.ucs[layer.name] = 0
    if layer.name == "UCMT" and recipe.has(Fault.CAMADA_VAZIA):
        return
    start, end = window(size_of(layer.name, recipe.ucs), recipe.ano)
    order = list(PROFILES).index(layer.name)
    for block in range(start // BLOCK, -(-end // BLOCK)):
        alive = slice(max(start - block * BLOCK, 0), min(end - block * BLOCK, BLOCK))
        col = ucs_of(recipe, layer.name, block, alive, poles)
        if recipe.anomalias:
            summary.planted += anomalies.plant(col, recipe, layer.name, block)
        spoil(col, recipe, (order, block), alive)
        summary.ucs[layer.name] += int((col["cod_id"] != " ").sum())
        if recipe.has(Fault.AT_DS) and layer.name != "UCAT":
            col = history(col, recipe.ano)
        summary.rows[layer.name] += len(col["numero"])
        for prefix in layer.energy:
            summary.kwh[layer.name] += col[prefix].sum(axis=0)
        if "ene" in col:
            summary.add(layer.name, col)
        yield pa.record_batch([to_arrow(col, c.name, c.type) for c in schema], schema=schema)


def _base(recipe: Recipe) -> pa.Table:
    years = [recipe.ano] + [recipe.ano - 1] * recipe.has(Fault.DUAS_BASES)
    texts = {
        "DAT_INC": [f"01/01/{a}" for a in years],
        "DAT_FNL": [f"31/12/{a}" for a in years],
        "DAT_EXT": [f"31/12/{a}" for a in years],
        "DESCR": [f"DADOS SINTETICOS, semente {recipe.seed}"] * len(years),
    }
    schema_fields = [
        pa.field(name, pa.string(), metadata={"GDAL:OGR:width": str(WIDTHS[name])})
        for name in texts
    ]
    return pa.table(
        [
            pa.array([recipe.distribuidora] * len(years), pa.int32()),
            *map(pa.array, texts.values()),
        ],
        schema=pa.schema([pa.field("DIST", pa.int32()), *schema_fields]),
    )


def _write(gdb: Path, name: str, data: pa.RecordBatchReader, recipe: Recipe) -> None:
    """Add one layer to the geodatabase, streaming; geometry where there is a column Shape."""
    geo: dict[str, object] = {}
    if "Shape" in data.schema.names:
        dtype = next(c.geometry for c in ALL_LAYERS if name in c.names)
        geo = {"geometry_name": "Shape", "geometry_type": dtype, "crs": "EPSG:4674"}
        geo["layer_options"] = {"GEOMETRY_NAME": "Shape"}
    if name[:2] in ("UC", "UG") and not recipe.has(Fault.SEM_SUFIXO_TAB):
        name += "_tab"
    if recipe.has(Fault.NOMES_MINUSCULOS):
        name = name.lower()
        schema = pa.schema(
            [c if c.name == "Shape" else c.with_name(c.name.lower()) for c in data.schema]
        )
        batches = (pa.record_batch(batch.columns, schema=schema) for batch in data)
        data = pa.RecordBatchReader.from_batches(schema, batches)
    pyogrio.write_arrow(data, gdb, layer=name, driver="OpenFileGDB", **geo)


@contextmanager
def _repeatable_ids() -> Iterator[None]:
    """Make GDAL derive the GUIDs of a geodatabase from a counter, so that bytes repeat."""
    option = "OPENFILEGDB_REPRODUCIBLE_UUID"
    before = pyogrio.get_gdal_config_option(option)
    pyogrio.set_gdal_config_options({option: True})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({option: before})


def _write_layers(recipe: Recipe, gdb: Path, summary: Summary) -> None:
    poles = poles_of(recipe)
    missing = {
        "UCAT": Fault.SEM_CAMADA_UCAT,
        "UCBT": Fault.SEM_CAMADA_UCBT,
        "PONNOT": Fault.SEM_CAMADA_PONNOT,
    }
    if not recipe.has(Fault.SEM_BASE):
        _write(gdb, "BASE", _base(recipe).to_reader(), recipe)
    for layer in ALL_LAYERS:
        lacking = missing.get(layer.name, Fault.SEM_CAMADAS_DA_REDE)
        if layer.name != "UCMT" and recipe.has(lacking):
            continue
        schema = layer_schema(layer, recipe)
        if layer in UC_LAYERS:
            batches = _batches(recipe, layer, poles, schema, summary)
        else:
            batches = _counted(
                NETWORK_LAYERS[layer.name](recipe, poles, schema, summary), layer, summary
            )
        data = pa.RecordBatchReader.from_batches(schema, batches)
        _write(gdb, layer.names[-1 if recipe.model == "M10" else 0], data, recipe)


def _counted(
    batches: Iterator[pa.RecordBatch], layer: Layer, summary: Summary
) -> Iterator[pa.RecordBatch]:
    summary.rows[layer.name] = 0
    for batch in batches:
        summary.rows[layer.name] += batch.num_rows
        yield batch


def _compress(gdb: Path, target: Path) -> None:
    """Zip a geodatabase with fixed dates: equal content, equal sha256."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for part in sorted(gdb.iterdir()):
            info = zipfile.ZipInfo(f"{gdb.name}/{part.name}", (2000, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with part.open("rb") as origin, file.open(info, "w", force_zip64=True) as out:
                shutil.copyfileobj(origin, out, 1 << 20)


def write(recipe: Recipe, target: Path) -> Summary:
    """Write the release to ``target`` (``x.gdb`` or ``x.gdb.zip``) and say what is in it.

    Nothing is at ``target`` until it is complete. Planted anomalies are listed beside it.

    Raises:
        ValueError: the name ends in neither.
        FileExistsError: something is there already; it is left alone.
    """
    if not target.name.endswith((".gdb", ".gdb.zip")):
        raise ValueError(f"{target}: the name must end in .gdb or .gdb.zip.")
    if target.exists():
        raise FileExistsError(f"{target} exists; remove it or choose another name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    summary = Summary(file=target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".sintetico-") as folder:
        gdb = ready = Path(folder, target.name.removesuffix(".zip"))
        with _repeatable_ids():
            _write_layers(recipe, gdb, summary)
        if target.suffix == ".zip":
            ready = Path(folder, target.name)
            _compress(gdb, ready)
        if recipe.anomalias:
            summary.planted += anomalies.of_areas(recipe)
            anomalies.write_list(summary.planted, list_of(target))
        ready.rename(target)
    return summary


def list_of(target: Path) -> Path:
    """Where the list of a release's planted anomalies lies."""
    return target.with_name(f"{target.name}.anomalias.csv")


def generate(
    target: Path,
    *,
    ucs: int = Recipe.ucs,
    seed: int = Recipe.seed,
    distribuidora: int = Recipe.distribuidora,
    ano: int = Recipe.ano,
    model: Model = Recipe.model,
    faults: Iterable[str] = (),
    municipios: tuple[Municipio, ...] = MUNICIPIOS,
    anomalias: bool = False,
) -> Path:
    """Write a synthetic release and return its path; `Recipe` explains the arguments."""
    recipe = Recipe(
        ucs=ucs,
        seed=seed,
        distribuidora=distribuidora,
        ano=ano,
        model=model,
        faults=frozenset(map(Fault, faults)),
        municipios=municipios,
        anomalias=anomalias,
    )
    return write(recipe, target).file
