"""A geodatabase is opened safely and says what it holds. Not here: the database."""

import ctypes
import hashlib
import os
import re
import shutil
import time
import warnings
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyogrio
import pyogrio._err
import pyogrio.raw
import pytest
import shapely
from pyproj import Transformer

from loaders.bdgd import files as bdgd_files
from loaders.bdgd import zip_archive
from loaders.bdgd.gdal_warnings import refused
from loaders.bdgd.gdb_tables import catalogue
from loaders.bdgd.geodatabase import opened
from loaders.bdgd.layers import PONNOT, UCBT, UCMT
from loaders.bdgd.source import Source
from loaders.errors import InvalidInput
from loaders.safra import Safra
from loaders.synthetic.writer import generate

Change = Callable[[str, pa.Table, str | None], dict[str, tuple[pa.Table, str | None]]]


@pytest.fixture(scope="module")
def gdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("gdb") / "bdgd.gdb", ucs=60, seed=1)


def compress(gdb: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in gdb.iterdir():
            zipped.write(file, f"pasta/{gdb.name}/{file.name}")
    return target


def refusal_of(
    path: Path, reason: str, *, safra: str | None = None, without: frozenset[str] = frozenset()
) -> None:
    with (
        pytest.raises(InvalidInput, match=reason),
        opened(path, safra=Safra.from_key(safra) if safra else None, without=without) as source,
    ):
        for layer in source.layers:
            if source.present(layer):
                list(source.batches(layer))


def test_zip_and_folder_say_the_same(gdb: Path, tmp_path: Path) -> None:
    with opened(gdb) as folder, opened(compress(gdb, tmp_path / "b.gdb.zip")) as zipped:
        assert folder.rows == zipped.rows
        assert [s.key for s in folder.safras] == ["401-2024"]


def test_rows_are_numbered_through_the_batches(gdb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.bdgd.geodatabase._ROWS_PER_BATCH", 7)
    with opened(gdb) as source:
        numbers = np.concatenate([batch.rows.to_numpy() for batch in source.batches(UCBT)])
        assert numbers.tolist() == list(range(1, source.rows[source.safras[0], "UCBT"] + 1))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("duas_bases", "BASE com 2 linhas"),
        ("dist_divergente", "coluna DIST"),
        ("sem_base", "--safra"),
    ],
)
def test_bad_structure_is_refused(tmp_path: Path, fault: str, reason: str) -> None:
    refusal_of(generate(tmp_path / "ruim.gdb", ucs=60, faults=[fault]), reason)


def test_without_base_the_vintage_is_asked_for_or_read_from_the_file_name(tmp_path: Path) -> None:
    name = "Sigla_401_2023-12-31_V11_20240601-1200.gdb"
    gdb = generate(tmp_path / name, ucs=60, faults=["sem_base"])
    with opened(gdb) as source:
        assert source.safras[0].key == "401-2023"
        assert "sem BASE" in source.remarks["UCBT"][0]
    with opened(gdb, safra=Safra.from_key("401-2022")) as source:
        assert source.safras[0].key == "401-2022"


def test_a_vintage_that_base_denies_is_refused(gdb: Path) -> None:
    refusal_of(gdb, "BASE diz safra 401-2024", safra="401-2023")


@pytest.mark.parametrize("fault", ["nomes_minusculos", "sem_sufixo_tab", "sem_cod_id"])
def test_spelling_and_absent_keys_are_no_defect(tmp_path: Path, gdb: Path, fault: str) -> None:
    with (
        opened(gdb) as right,
        opened(generate(tmp_path / "x.gdb", ucs=60, faults=[fault])) as other,
    ):
        assert right.rows == other.rows
        assert ("sem COD_ID" in str(other.remarks)) == (fault == "sem_cod_id")


def test_absent_and_empty_layers_are_observations(tmp_path: Path) -> None:
    faults = ["sem_camada_ucbt", "camada_vazia", "coluna_extra"]
    with opened(generate(tmp_path / "x.gdb", ucs=60, faults=faults)) as source:
        assert not source.present(UCBT)
        assert source.present(UCMT)
        assert "ausente" in source.remarks["UCBT"][0]
        assert "vazia" in source.remarks["UCMT"][0]
        assert "colunas não carregadas" in " ".join(source.remarks["UCAT"])


def copy_into(gdb: Path, target: Path) -> Path:
    """A copy to damage; returns the file of its layer UCBT."""
    target.mkdir(parents=True)
    for file in gdb.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target / f"{number(gdb, 'UCBT_tab')}.gdbtable"


def number(gdb: Path, layer: str) -> str:
    """The name of the files that hold a layer."""
    return next(n for n, name in catalogue(gdb).items() if name == layer)


def test_a_truncated_table_is_refused(gdb: Path, tmp_path: Path) -> None:
    greatest = copy_into(gdb, tmp_path / "curta.gdb")
    greatest.write_bytes(greatest.read_bytes()[: greatest.stat().st_size // 2])
    refusal_of(tmp_path / "curta.gdb", "camada UCBT_tab: .*danificada|diz ter 5[0-9] linhas")


def test_a_table_whose_rows_gdal_would_guess_is_refused(gdb: Path, tmp_path: Path) -> None:
    greatest = copy_into(gdb, tmp_path / "sem_indice.gdb")
    greatest.with_suffix(".gdbtablx").unlink()
    refusal_of(tmp_path / "sem_indice.gdb", "danificada")


@pytest.mark.parametrize("reader", ["this thread", "another thread"])
def test_gdal_is_heard_in_every_thread_whatever_python_records(
    gdb: Path, tmp_path: Path, reader: str
) -> None:
    """The landing gate's import records warnings meanwhile, which is for the whole process."""
    greatest = copy_into(gdb, tmp_path / "sem_indice.gdb")
    greatest.with_suffix(".gdbtablx").unlink()
    layer, reasons = "UCBT_tab", []

    def read() -> None:
        with (
            pytest.raises(InvalidInput) as refusal,
            refused("x.gdb"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            pyogrio.read_info(greatest.parent, layer=layer, force_feature_count=True)
        reasons.append(str(refusal.value))

    if reader == "this thread":
        read()
    else:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(read).result()
    assert re.search(r"x.gdb: .*GDAL avisa: «a0000000c.gdbtablx could not be found", reasons[0])


@pytest.mark.parametrize(
    ("said", "harmless"),
    [
        ("For field A, XML definition mentions x as default value whereas", True),
        ("A corruption in the header of x.gdbtable has been detected. It would need", True),
        ("Something that no version of GDAL has said so far", False),
        ("UCBT_tab layer has a a0000000c.gdbtable.cdf file using Compressed Data Format", False),
        ("File a.gdbtable declares 9 valid records, but a.gdbtablx declares only 8", False),
    ],
)
def test_only_what_is_known_to_be_harmless_lets_a_file_pass(said: str, harmless: bool) -> None:
    warn = ctypes.CDLL(pyogrio._err.__file__).CPLError
    with nullcontext() if harmless else pytest.raises(InvalidInput, match=said[:20]):  # noqa: SIM117
        with refused("x.gdb"):
            warn(2, 1, b"%s", said.encode())


@pytest.mark.parametrize("lost", [(".gdbtable",), (".gdbtable", ".gdbtablx"), ("vazia",)])
@pytest.mark.parametrize("name", ["BASE", "UCBT_tab", "PONNOT", "CONJ"])
def test_a_layer_that_lost_its_table_is_refused(
    gdb: Path, tmp_path: Path, name: str, lost: tuple[str, ...]
) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    table = copied / f"{number(copied, name)}.gdbtable"
    for suffix in lost:
        if suffix == "vazia":
            table.write_bytes(b"")
        else:
            table.with_suffix(suffix).unlink()
    refusal_of(copied, f"faltam os dados de {name} .{table.name}.*baixe")


def lose(folder: Path, *names: str, pointer: bool = False) -> None:
    """Take layers' rows out of a copy, as a repository does with files that are too large."""
    for name in names:
        table = folder / f"{number(folder, name)}.gdbtable"
        if pointer:
            table.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
        else:
            table.unlink()


def test_a_refusal_names_the_option_for_all_that_is_missing(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    lose(copied, "UCBT_tab", "PONNOT")
    say = '--sem-camada PONNOT --sem-camada UCBT .em make run: SEM_CAMADA="PONNOT UCBT".$'
    refusal_of(copied, f"faltam os dados de UCBT_tab .*, PONNOT .*baixe.*{say}")
    refusal_of(copied, f"faltam os dados de UCBT_tab .*{say}", without=frozenset({"PONNOT"}))


@pytest.mark.parametrize("how", ["gone", "pointer", "zip", "never listed"])
def test_a_copy_lands_without_the_layers_that_a_person_says_it_lacks(
    gdb: Path, tmp_path: Path, how: str
) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    if how == "never listed":
        copied = generate(tmp_path / "y.gdb", ucs=60, seed=1, faults=["sem_camada_ucbt"])
    else:
        lose(copied, "UCBT_tab", pointer=how == "pointer")
    path = compress(copied, tmp_path / "x.gdb.zip") if how == "zip" else copied
    with opened(path, without=frozenset({"UCBT"})) as source, opened(gdb) as whole:
        (safra,) = source.safras
        assert whole.rows.keys() - source.rows.keys() == {(safra, "UCBT")}
        assert (
            sum(batch.data.num_rows for batch in source.batches(UCMT)) == whole.rows[safra, "UCMT"]
        )
        assert "como declarado" in source.remarks["UCBT"][0]
        assert source.lacking == {"UCBT"}


def test_a_layer_that_is_there_is_never_left_out(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    lose(copied, "UCBT_tab")
    said = "UCMT_tab .a[0-9a-f]{8}.gdbtable. está na geodatabase"
    refusal_of(copied, said, without=frozenset({"UCBT", "UCMT"}))
    refusal_of(gdb, said, without=frozenset({"UCMT"}))


def test_what_is_compressed_or_hidden_from_one_catalogue_is_no_layer_that_a_copy_lacks(
    gdb: Path, tmp_path: Path
) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    lose(copied, "UCBT_tab")
    (copied / f"{number(copied, 'UCBT_tab')}.gdbtable.cdf").write_bytes(b"2FDC" + bytes(99))
    refusal_of(copied, "comprimidas", without=frozenset({"UCBT"}))
    renamed = copy_into(gdb, tmp_path / "y.gdb").parent
    hide(renamed)
    refusal_of(renamed, "lista UCBT_tab, mas a tabela não se abre", without=frozenset({"UCBT"}))


def test_without_base_a_copy_lands_if_the_vintage_is_said(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    lose(copied, "BASE")
    refusal_of(copied, "informe --safra", without=frozenset({"BASE"}))
    with opened(copied, safra=Safra.from_key("7-2023"), without=frozenset({"BASE"})) as source:
        assert [safra.key for safra in source.safras] == ["7-2023"]


def test_a_table_that_is_not_landed_may_be_missing(
    gdb: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    pyogrio.write_arrow(
        pa.table({"COD_ID": ["a"]}), copied, layer="SSDBT", driver="OpenFileGDB", append=True
    )
    for file in copied.glob(f"{number(copied, 'SSDBT')}.*"):
        file.unlink()
    with opened(copied) as source:
        assert source.present(UCBT)
    assert "SSDBT" in caplog.text


def test_a_table_that_the_catalogue_forgot_is_refused(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    for suffix in ("gdbtable", "gdbtablx"):
        table = copied / f"{number(copied, 'UCBT_tab')}.{suffix}"
        table.with_name(f"a000000ff.{suffix}").write_bytes(table.read_bytes())
    refusal_of(copied, "não lista a000000ff")


def hide(folder: Path) -> None:
    """Rename UCBT in one of the catalogues."""
    catalogue = folder / "a00000001.gdbtable"
    swapped = catalogue.read_bytes().replace(*(s.encode("utf-16-le") for s in ("UCBT_", "UCBX_")))
    swapped = swapped.replace(b"UCBT_", b"UCBX_")
    assert swapped != catalogue.read_bytes()
    catalogue.write_bytes(swapped)


def test_a_layer_that_only_one_catalogue_knows_is_refused(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    hide(copied)
    refusal_of(copied, "lista UCBT_tab, mas a tabela não se abre")


@pytest.mark.parametrize("suffix", [".cdf", ".gdbtable.cdf", ".CDF", ".sdc", ".gdbtable.SDI"])
@pytest.mark.parametrize("name", ["BASE", "UCAT_tab", "UCMT_tab", "PONNOT"])
def test_a_compressed_table_is_refused(gdb: Path, tmp_path: Path, name: str, suffix: str) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    table = number(copied, name)
    for file in copied.glob(f"{table}.*"):
        file.unlink()
    (copied / f"{table}{suffix}").write_bytes(b"2FDC" + bytes(99))
    for path in (copied, compress(copied, tmp_path / "x.gdb.zip")):
        refusal_of(path, f"comprimidas pelo ArcGIS .*: {name};.*Uncompress")


def test_a_geodatabase_all_compressed_is_refused_for_that(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "x.gdb").parent
    for table in list(copied.glob("*.gdbtable")):
        table.rename(f"{table}.cdf")
    refusal_of(copied, "comprimidas pelo ArcGIS")


def rewrite(gdb: Path, target: Path, **changes: Change) -> Path:
    """Every layer again, those named through a function of its table: name → table, geometry."""
    for name, dtype in pyogrio.list_layers(gdb):
        meta, table = pyogrio.raw.read_arrow(gdb, layer=name)
        alter = changes.get(str(name).removesuffix("_tab"), lambda n, t, g: {n: (t, g)})
        for new, (data, geometry) in alter(name, table, dtype).items():
            pyogrio.write_arrow(
                data,
                target,
                layer=new,
                driver="OpenFileGDB",
                geometry_name="wkb_geometry" if geometry else None,
                geometry_type=geometry,
                crs=meta.get("crs") or "EPSG:4674" if geometry else None,
                append=target.exists(),
            )
    return target


@pytest.mark.parametrize("layer", ["BASE", "CONJ", "UCAT", "UCMT", "UCBT", "PONNOT"])
def test_two_layers_for_one_name_are_refused(gdb: Path, tmp_path: Path, layer: str) -> None:
    def double(name: str, table: pa.Table, dtype: str | None) -> dict:
        other = name.removesuffix("_tab") if "_" in name else f"{name.lower()}_tab"
        return {name: (table, dtype), other: (table, dtype)}

    two = rewrite(gdb, tmp_path / "x.gdb", **{layer: double})
    refusal_of(two, rf"por {layer}: .*{layer}\w* .\d+ linhas. e \w+ .\d+ linhas.")


def test_an_empty_namesake_is_left_aside_and_told(gdb: Path, tmp_path: Path) -> None:
    def double(name: str, table: pa.Table, dtype: str | None) -> dict:
        return {"UCBT": (table.slice(0, 0), dtype), name: (table, dtype), "UCBT_1": (table, dtype)}

    with opened(gdb) as right, opened(rewrite(gdb, tmp_path / "x.gdb", UCBT=double)) as source:
        assert source.rows == right.rows
        notes = " ".join(source.remarks["UCBT"])
        assert "UCBT vazia ao lado de UCBT_tab" in notes
        assert "UCBT_1 não carregada" in notes


def points(source: Source) -> tuple[np.ndarray, np.ndarray]:
    batches = [batch.data for batch in source.batches(PONNOT)]
    return tuple(
        np.concatenate([batch.column(c).to_numpy(zero_copy_only=False) for batch in batches])
        for c in ("point_x", "point_y")
    )  # type: ignore[return-value]


def with_geometry(alter: Callable[[np.ndarray], np.ndarray], new_type: str) -> Change:
    def change(name: str, table: pa.Table, _: str | None) -> dict:
        index = next(i for i, c in enumerate(table.schema) if pa.types.is_binary(c.type))
        forms = alter(shapely.from_wkb(table.column(index).to_numpy(zero_copy_only=False)))
        column = pa.array(list(shapely.to_wkb(forms)), pa.binary())
        table = table.set_column(index, table.schema.field(index).with_name("wkb_geometry"), column)
        return {name: (table, new_type)}

    return change


def test_a_multipoint_is_its_first_point(
    gdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def join(forms: np.ndarray) -> np.ndarray:
        joined = shapely.multipoints([[p] for p in forms])
        joined[0] = shapely.multipoints([forms[0], shapely.Point(0, 0)])
        joined[1] = shapely.MultiPoint()
        joined[-1] = shapely.multipoints([forms[-1], shapely.Point(0, 0)])
        return joined

    # They are counted through all batches.
    monkeypatch.setattr(pyogrio, "open_arrow", partial(pyogrio.open_arrow, batch_size=10))
    changed = rewrite(gdb, tmp_path / "x.gdb", PONNOT=with_geometry(join, "MultiPoint"))
    with opened(gdb) as right, opened(changed) as source:
        x, y = points(source)
        right_x, right_y = points(right)
        assert "2 linhas com mais de um ponto" in " ".join(source.remarks["PONNOT"])
    assert np.isnan([x[1], y[1]]).all()
    assert np.delete(x, 1) == pytest.approx(np.delete(right_x, 1), abs=1e-8)
    assert np.delete(y, 1) == pytest.approx(np.delete(right_y, 1), abs=1e-8)


@pytest.mark.parametrize("dtype", ["Point Z", "MultiPoint Z"])
def test_heights_and_missing_geometries_are_no_obstacle(
    gdb: Path, tmp_path: Path, dtype: str
) -> None:
    def elevate(forms: np.ndarray) -> np.ndarray:
        high = shapely.force_3d(forms, 5.0)
        high = shapely.multipoints([[p] for p in high]) if "Multi" in dtype else high
        high[3] = None
        return high

    changed = rewrite(gdb, tmp_path / "x.gdb", PONNOT=with_geometry(elevate, dtype))
    with opened(gdb) as right, opened(changed) as source:
        for read_value, correct in zip(points(source), points(right), strict=True):
            assert np.isnan(read_value[3])
            assert np.delete(read_value, 3) == pytest.approx(np.delete(correct, 3), abs=1e-8)


@pytest.mark.parametrize("crs", ["EPSG:4618", "EPSG:4326", "EPSG:31982", "EPSG:29192"])
def test_points_of_any_system_become_sirgas(gdb: Path, tmp_path: Path, crs: str) -> None:
    projected = Transformer.from_crs(4674, crs, always_xy=True).transform

    def alter(forms: np.ndarray) -> np.ndarray:
        return shapely.points(*projected(shapely.get_x(forms), shapely.get_y(forms)))

    def swap(name: str, table: pa.Table, dtype: str | None) -> dict:
        return with_geometry(alter, "Point")(name, table, dtype)

    target = rewrite(gdb, tmp_path / "x.gdb", PONNOT=lambda *_: {})
    _, table = pyogrio.raw.read_arrow(gdb, layer="PONNOT")
    ((_, (data, dtype)),) = swap("PONNOT", table, "Point").items()
    pyogrio.write_arrow(
        data, target, layer="PONNOT", driver="OpenFileGDB", geometry_name="wkb_geometry",
        geometry_type=dtype, crs=crs, append=True,
    )  # fmt: skip
    with opened(gdb) as right, opened(target) as source:
        for read_value, correct in zip(points(source), points(right), strict=True):
            assert read_value == pytest.approx(correct, abs=1e-6)


def test_points_may_stand_in_columns(gdb: Path, tmp_path: Path) -> None:
    def in_columns(name: str, table: pa.Table, _: str | None) -> dict:
        index = next(i for i, c in enumerate(table.schema) if pa.types.is_binary(c.type))
        forms = shapely.from_wkb(table.column(index).to_numpy(zero_copy_only=False))
        table = table.remove_column(index)
        for column, values in (
            ("POINT_X", shapely.get_x(forms)),
            ("POINT_Y", shapely.get_y(forms)),
        ):
            table = table.append_column(column, pa.array(values))
        return {name: (table, None)}

    def with_nothing(name: str, table: pa.Table, dtype: str | None) -> dict:
        ((_, (data, _)),) = in_columns(name, table, dtype).items()
        return {name: (data.drop_columns(["POINT_X"]), None)}

    with (
        opened(gdb) as right,
        opened(rewrite(gdb, tmp_path / "x.gdb", PONNOT=in_columns)) as source,
    ):
        assert points(source)[0] == pytest.approx(points(right)[0], abs=1e-8)
    refusal_of(rewrite(gdb, tmp_path / "y.gdb", PONNOT=with_nothing), "sem pontos .*POINT_X")


def test_a_month_that_is_no_number_is_refused(gdb: Path, tmp_path: Path) -> None:
    def as_text(name: str, table: pa.Table, dtype: str | None) -> dict:
        index = table.schema.get_field_index("ENE_07")
        column = pa.array(["12,5", *["doze"] * (len(table) - 1)])
        return {name: (table.set_column(index, "ENE_07", column), dtype)}

    refusal_of(rewrite(gdb, tmp_path / "x.gdb", UCBT=as_text), "camada UCBT, coluna ENE_07")


@pytest.mark.parametrize(("dist", "safra"), [(61111.0, "61111-2024"), (61111.5, None)])
def test_a_whole_real_is_an_integer(
    gdb: Path, tmp_path: Path, dist: float, safra: str | None
) -> None:
    def real(name: str, table: pa.Table, dtype: str | None) -> dict:
        index = table.schema.get_field_index("DIST")
        column = pa.array([dist] * len(table), pa.float64())
        return {name: (table.set_column(index, "DIST", column), dtype)}

    changed = rewrite(
        gdb,
        tmp_path / "x.gdb",
        **dict.fromkeys(("BASE", "UCAT", "UCMT", "UCBT", "PONNOT", "CONJ"), real),
    )
    if safra is None:
        refusal_of(changed, "DIST.*61111.5")
    else:
        with opened(changed) as source:
            assert [s.key for s in source.safras] == [safra]
            assert sum(batch.data.num_rows for batch in source.batches(UCBT)) > 50


def test_what_is_no_geodatabase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vazia.gdb").mkdir()
    refusal_of(tmp_path / "vazia.gdb", "não é uma geodatabase")
    text = tmp_path / "texto.gdb.zip"
    text.write_text("nada")
    refusal_of(text, "zip truncado")
    with zipfile.ZipFile(tmp_path / "csv.zip", "w") as zipped:
        zipped.writestr("ucmt_pj.csv", "DIST;ENE_01\n")
    refusal_of(tmp_path / "csv.zip", "não é uma geodatabase")


def test_a_truncated_or_flipped_zip_is_refused(gdb: Path, tmp_path: Path) -> None:
    whole_number = compress(gdb, tmp_path / "b.gdb.zip")
    content_bytes = bytearray(whole_number.read_bytes())
    cut = tmp_path / "cortado.gdb.zip"
    cut.write_bytes(content_bytes[: len(content_bytes) // 2])
    refusal_of(cut, "zip truncado")
    content_bytes[len(content_bytes) // 3] ^= 0xFF
    whole_number.write_bytes(content_bytes)
    refusal_of(whole_number, "b.gdb.zip")


@pytest.mark.parametrize("name", ["../fora.gdbtable", "/etc/fora", "a/../../fora", "C:\\fora"])
def test_a_zip_that_escapes_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "e.gdb.zip", "w") as zipped:
        zipped.writestr("x.gdb/a00000001.gdbtable", b"")
        zipped.writestr(name, b"x")
    refusal_of(tmp_path / "e.gdb.zip", "fora da sua pasta")


def test_a_zip_that_explodes_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.gdb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x.gdb/a00000001.gdbtable", bytes(100 * 2**20))
    refusal_of(tmp_path / "b.gdb.zip", "cresce")


def test_a_zip_may_grow_as_much_as_is_allowed_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a", bytes(1000))
    monkeypatch.setattr(zip_archive, "_GREATEST_RATIO", 0)
    monkeypatch.setattr(zip_archive, "_RATIO_SLACK", 1000)
    with zip_archive.opened(tmp_path / "x.zip") as opened:
        assert opened.namelist() == ["a"]
    monkeypatch.setattr(zip_archive, "_RATIO_SLACK", 999)
    with pytest.raises(InvalidInput, match="cresce"), zip_archive.opened(tmp_path / "x.zip"):
        pass


def test_a_small_zip_may_grow_any_number_of_times(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a", bytes(2**20))
    with zip_archive.opened(tmp_path / "x.zip") as opened:
        assert opened.namelist() == ["a"]


def test_a_zip_with_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    shortcut = zipfile.ZipInfo("x.gdb/a00000001.gdbtable")
    shortcut.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.gdb.zip", "w") as zipped:
        zipped.writestr(shortcut, "/etc/passwd")
    refusal_of(tmp_path / "l.gdb.zip", "atalho")


def test_extraction_leaves_nothing_behind(
    gdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = compress(gdb, tmp_path / "b.gdb.zip")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with opened(zipped):
        assert list(temporary.iterdir())
        zip_archive.clean_abandoned()
        assert list(temporary.iterdir()), "a live owner's folder was removed"
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(("free", "fits"), [(3 * 2**20 - 1, False), (3 * 2**20, True)])
def test_a_zip_is_extracted_where_there_is_room_for_all_of_it(
    free: int, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        for name in ("x.gdb/A", "x.gdb/b", "x.gdb/c", "x.gdb/d/e", "f"):
            made.writestr(name, bytes(2**20))
    room = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: room)
    with zipfile.ZipFile(tmp_path / "x.zip") as package:
        extraction = zip_archive.extract(package, PurePosixPath("x.gdb"), "y.gdb")
        if not fits:
            with (
                pytest.raises(InvalidInput, match="precisa de 3 MiB livres em .*, há 2;"),
                extraction,
            ):
                pass
            return
        with extraction as folder:
            assert folder.name == "y.gdb"
            found = {file.name: file.stat().st_size for file in folder.iterdir()}
            assert found == {"a": 2**20, "b": 2**20, "c": 2**20}


def test_a_dead_process_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, age in (("morto", 60.5), ("de-agora", 50)):
        folder = tmp_path / f"intel-lead-bdgd-{name}"
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
    zip_archive.clean_abandoned()
    assert [folder.name for folder in tmp_path.iterdir()] == ["intel-lead-bdgd-de-agora"]


def test_the_hash_is_of_content_not_of_place_or_lock_files(gdb: Path, tmp_path: Path) -> None:
    copied = copy_into(gdb, tmp_path / "outra.gdb").parent
    for transient in ("_gdb.maquina.1.sr.lock", "._a00000001.gdbtable", ".DS_Store"):
        (copied / transient).write_bytes(b"x")
    (copied / "pasta de ninguém").mkdir()
    assert bdgd_files.sha256_of(copied) == bdgd_files.sha256_of(gdb)
    (copied / "gdb").write_bytes(b"x")
    assert bdgd_files.sha256_of(copied) != bdgd_files.sha256_of(gdb)


def test_nothing_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "x.gdb").mkdir()
    (tmp_path / "x.csv").touch()
    for path in (tmp_path / "x.gdb", tmp_path / "x.csv"):
        with pytest.raises(InvalidInput, match="arquivo vazio; baixe"):
            bdgd_files.sha256_of(path)
    (tmp_path / "x.csv").write_bytes(b"a")
    assert bdgd_files.sha256_of(tmp_path / "x.csv") == hashlib.sha256(b"a").hexdigest()
