"""Landing a BDGD: all or nothing, once, counted, healed. Not here: reading of files (tests/unit).

Each test has a distributor of its own in one database.
"""

import itertools
import os
import signal
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import bdgd, copia, geodatabase, registro
from loaders.__main__ import app
from loaders.bdgd import SUBSTITUICAO, Opcoes, carregar
from loaders.camadas import CAMADAS
from loaders.conexao import conectar, preparar
from loaders.copia import empacotar
from loaders.erros import EntradaInvalida, FalhaDeBanco
from loaders.particoes import ASIDE
from loaders.safra import Safra
from loaders.sintetico import gerar

MUX = Path(__file__).parents[3] / (
    "shared/data/Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"
)
DISTRIBUIDORAS = itertools.count(1001)

pytestmark = pytest.mark.usefixtures("banco")


@pytest.fixture
def dist() -> int:
    """A distributor that no other test loads."""
    return next(DISTRIBUIDORAS)


@pytest.fixture
def conn(banco: dict[str, str]) -> Iterator[psycopg.Connection]:
    with conectar() as conexao:
        preparar(conexao)
        yield conexao


def valor(conn: psycopg.Connection, consulta: str, *parametros: object) -> object:
    linha = conn.execute(consulta, parametros).fetchone()  # type: ignore[call-overload]
    return linha and linha[0]


def rodar(*argumentos: object) -> int:
    return CliRunner().invoke(app, ["bdgd", *map(str, argumentos)]).exit_code


def retrato(conn: psycopg.Connection, dist: int) -> dict[str, object]:
    """What a distributor has in every raw table, import numbers aside."""
    conteudo = {
        c.tabela: valor(
            conn,
            "select md5(coalesce(string_agg((to_jsonb(t) - 'import_id')::text, ' ' order by linha),"
            f" '')) || count(*) from raw.{c.tabela} as t where distribuidora_id = %s",
            dist,
        )
        for c in CAMADAS
    }
    folhas = conn.execute(
        "select relname, relispartition from pg_class where relkind = 'r'"
        " and relnamespace = 'raw_safra'::regnamespace and relname ~ %s and relname !~ %s"
        " order by 1",
        [f"_{dist}_", ASIDE],
    ).fetchall()
    rejeitados = conn.execute(
        "select ano, origem, linha, motivo, registro from raw.rejeitado"
        " where distribuidora_id = %s order by 1, 2, 3",
        [dist],
    ).fetchall()
    return conteudo | {"folhas": folhas, "rejeitados": rejeitados}


def execucoes(conn: psycopg.Connection, dist: int | None) -> list[tuple[str, ...]]:
    return conn.execute(
        "select camada::text, status::text, coalesce(erro, '') from intel_lead.import_status"
        " where distribuidora_id is not distinct from %s order by import_id",
        [dist],
    ).fetchall()


@contextmanager
def ao_copiar(acao: object) -> Iterator[Opcoes]:
    """Options whose progress hook runs ``acao`` once, in the middle of the first COPY."""
    vez = iter([acao])

    def progresso(camada: str, linhas: int) -> AbstractContextManager[object]:
        @contextmanager
        def passo() -> Iterator[object]:
            yield lambda _: next(vez, lambda: None)()

        return passo()

    yield Opcoes(progresso=progresso)
    assert next(vez, None) is None, "the hook never ran"


def test_every_row_and_every_kwh_of_the_file_lands(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=400, distribuidora=dist, defeitos=["cod_id_em_branco"])
    assert rodar(gdb) == 0
    with geodatabase.abrir(gdb) as fonte:
        for camada in CAMADAS:
            lidas, kwh = 0, 0.0
            for lote in fonte.lotes(camada):
                lidas, kwh = lidas + lote.dados.num_rows, kwh + empacotar(lote, camada).kwh
            soma = " + ".join(camada.colunas_energia) or "0"
            na_base, kwh_na_base = conn.execute(
                f"select count(*), coalesce(sum({soma}), 0) from raw.{camada.tabela}"  # noqa: S608
                " where distribuidora_id = %s",
                [dist],
            ).fetchone()
            processadas, rejeitadas = conn.execute(
                "select linhas_processadas, linhas_rejeitadas from intel_lead.import_status"
                " where distribuidora_id = %s and camada = %s::intel_lead.camada_enum",
                [dist, camada.nome],
            ).fetchone()
            assert (processadas, processadas + rejeitadas) == (na_base, lidas)
            assert kwh_na_base == pytest.approx(kwh, abs=1e-3)


def test_rejected_rows_are_kept_with_number_and_reason(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=400, distribuidora=dist, defeitos=["cod_id_em_branco"])
    assert rodar(gdb) == 0
    assert valor(
        conn,
        "select count(*) from raw.rejeitado as r join intel_lead.import_status as i"
        " using (import_id, distribuidora_id, ano, arquivo) where distribuidora_id = %s"
        " and motivo = 'cod_id em branco' and origem = i.camada::text"
        " and registro ->> 'dist' = %s::text",
        dist,
        dist,
    ) == valor(
        conn,
        "select sum(linhas_rejeitadas) from intel_lead.import_status where distribuidora_id = %s",
        dist,
    )
    assert retrato(conn, dist)["rejeitados"]
    assert not valor(
        conn,
        "select count(*) from raw.ucbt as u join raw.rejeitado as r"
        " using (import_id, linha) where u.distribuidora_id = %s",
        dist,
    )


def test_the_same_content_again_changes_nothing(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    assert rodar(gdb) == 0
    antes = (
        execucoes(conn, dist),
        valor(
            conn,
            "select s::text from controle.safra_importada as s where distribuidora_id = %s",
            dist,
        ),
    )
    assert rodar(gdb.rename(tmp_path / "outro_nome.gdb")) == 0
    assert antes == (
        execucoes(conn, dist),
        valor(
            conn,
            "select s::text from controle.safra_importada as s where distribuidora_id = %s",
            dist,
        ),
    )


def test_a_new_file_replaces_its_safra_whole_and_no_other(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    primeiro = gerar(tmp_path / "a.gdb", ucs=80, distribuidora=dist, defeitos=["cod_id_em_branco"])
    outro_ano = gerar(tmp_path / "b.gdb", ucs=60, distribuidora=dist, ano=2023)
    assert rodar(primeiro, outro_ano) == 0
    import_id = valor(
        conn,
        "select import_id from controle.safra_importada where (distribuidora_id, ano) = (%s, 2024)",
        dist,
    )
    menor = gerar(tmp_path / "c.gdb", ucs=60, semente=2, distribuidora=dist)
    assert rodar(menor) == 0
    with geodatabase.abrir(menor) as fonte:
        assert (
            valor(
                conn,
                "select count(*) from raw.ucbt where (distribuidora_id, ano) = (%s, 2024)",
                dist,
            )
            == fonte.linhas[fonte.safras[0], "UCBT"]
        )
    foto = retrato(conn, dist)
    assert len(foto["folhas"]) == 2 * len(CAMADAS)
    assert foto["rejeitados"] == []
    assert valor(
        conn, "select count(*) from raw.ucbt where (distribuidora_id, ano) = (%s, 2023)", dist
    )
    assert import_id < valor(
        conn,
        "select import_id from controle.safra_importada where (distribuidora_id, ano) = (%s, 2024)",
        dist,
    )
    assert rodar(primeiro) == 0, "an older file is landed again, not taken for loaded"
    assert retrato(conn, dist) != foto


@pytest.mark.parametrize(
    "defeitos",
    [
        ["sem_camada_ucbt", "camada_vazia"],
        ["sem_camada_ponnot"],
        ["sem_cod_id"],
        ["sem_sufixo_tab", "nomes_minusculos", "coluna_extra"],
    ],
)
@pytest.mark.parametrize("modelo", ["M10", "V11"])
def test_every_model_and_gap_gives_five_attached_leaves(
    conn: psycopg.Connection, dist: int, tmp_path: Path, defeitos: list[str], modelo: str
) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist, modelo=modelo, defeitos=defeitos)
    assert rodar(gdb) == 0
    assert retrato(conn, dist)["folhas"] == sorted(
        (f"{c.tabela}_{dist}_2024", True) for c in CAMADAS
    )
    sem_chave = valor(
        conn, "select bool_and(cod_id is null) from raw.ucmt where distribuidora_id = %s", dist
    )
    assert bool(sem_chave) == ("sem_cod_id" in defeitos)


def danificar(caminho: Path, modo: str) -> Path:
    """A damaged file of each kind at ``caminho``, which is a good geodatabase."""
    destino = caminho.with_suffix(".gdb.zip")
    with zipfile.ZipFile(destino, "w", zipfile.ZIP_DEFLATED) as pacote:
        for arquivo in caminho.iterdir():
            pacote.write(arquivo, f"x.gdb/{arquivo.name}")
        if modo == "foge":
            pacote.writestr("../fora", "x")
    octetos = destino.read_bytes()
    if modo == "corta":
        octetos = octetos[: len(octetos) * 2 // 3]
    elif modo == "vazio":
        octetos = b""
    elif modo == "texto":
        octetos = b"<html>Access denied</html>"
    destino.write_bytes(octetos)
    return destino


@pytest.mark.parametrize("modo", ["foge", "corta", "vazio", "texto"])
def test_a_file_that_never_says_its_safra_leaves_one_failed_row(
    conn: psycopg.Connection, dist: int, tmp_path: Path, modo: str
) -> None:
    ruim = danificar(gerar(tmp_path / f"{modo}.gdb", ucs=60, distribuidora=dist), modo)
    antes = len(execucoes(conn, None))
    assert rodar(ruim) == 3
    (nova,) = execucoes(conn, None)[antes:]
    assert nova[1] == "failed"
    assert ruim.name in nova[2]
    assert execucoes(conn, dist) == []


@pytest.mark.parametrize("defeito", ["tipo_errado", "dist_divergente"])
def test_a_bad_layer_fails_the_file_and_keeps_the_old_safra(
    conn: psycopg.Connection, dist: int, tmp_path: Path, defeito: str
) -> None:
    assert rodar(gerar(tmp_path / "boa.gdb", ucs=60, distribuidora=dist)) == 0
    antes = retrato(conn, dist)
    ruim = gerar(tmp_path / "ruim.gdb", ucs=60, distribuidora=dist, defeitos=[defeito])
    assert rodar(ruim) == 3
    assert retrato(conn, dist) == antes
    falhas = execucoes(conn, dist)[5:]
    assert [status for _, status, _ in falhas] == ["failed"] * 5
    assert all("camada U" in erro and "coluna" in erro for *_, erro in falhas)


def test_a_folder_without_rights_is_refused_and_recorded(
    conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def negar(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", negar)
    antes = len(execucoes(conn, None))
    assert rodar(tmp_path) == 3
    assert "sem direito" in execucoes(conn, None)[antes:][0][2]


def test_one_bad_file_does_not_stop_the_others(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist, defeitos=["duas_bases"])
    gerar(tmp_path / "b.gdb", ucs=60, distribuidora=dist)
    assert rodar(tmp_path) == 3
    assert [status for _, status, _ in execucoes(conn, dist)] == ["completed"] * 5


def test_what_postgresql_refuses_is_refused_without_quoting_the_row(
    conn: psycopg.Connection, dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_text(
        f"COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;{dist};RUA SECRETA;1;31DEC2024\n"
    )
    escrever = copia._csv
    monkeypatch.setattr(copia, "_csv", lambda dados: escrever(dados).replace(b"SECR", b"SECR\0"))
    assert rodar(arquivo) == 3
    ((_, status, erro),) = execucoes(conn, dist)
    assert status == "failed"
    assert "UTF8" in erro
    assert f"ucmt_{dist}_2024" in erro
    assert "SECR" not in erro


def test_what_led_to_a_refusal_quotes_no_row_either(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs write an error's causes as well: Arrow's, and PostgreSQL's DETAIL and CONTEXT."""

    def detalhar(conn: psycopg.Connection, *_: object) -> None:
        conn.execute("do $$ begin raise 'não' using detail = 'RUA SECRETA'; end $$")

    arquivo = tmp_path / "ucmt_pj.csv"
    arquivo.write_text(f"COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;{dist};RUA SECRETA\n")
    with pytest.raises(EntradaInvalida, match="malformado") as recusa:
        carregar(arquivo, Opcoes())
    assert "SECRETA" not in "".join(traceback.format_exception(recusa.value))
    monkeypatch.setattr(bdgd, "_copiar_camada", detalhar)
    with pytest.raises(FalhaDeBanco, match="não") as falha:
        carregar(gravar_csv(tmp_path, dist), Opcoes())
    assert "SECRETA" not in "".join(traceback.format_exception(falha.value))


def test_two_safras_land_side_by_side(conn: psycopg.Connection, dist: int, tmp_path: Path) -> None:
    outra = next(DISTRIBUIDORAS)
    uma = gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    duas = [gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=outra) for n in (1, 2)]
    carregar(duas[0], Opcoes())
    with ao_copiar(lambda: carregar(duas[1], Opcoes())) as opcoes:
        carregar(uma, opcoes)
    assert [s for _, s, _ in execucoes(conn, outra)] == ["completed"] * 10


def test_a_second_load_of_the_same_safra_is_refused(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registro, "_ESPERA_MORTO", "10ms")
    gdb, outro = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=dist) for n in (1, 2)
    )

    def tentar() -> None:
        with pytest.raises(FalhaDeBanco, match=f"safra {dist}-2024: o processo .* --esperar"):
            carregar(outro, Opcoes())
        assert rodar(outro) == 4

    with ao_copiar(tentar) as opcoes:
        carregar(gdb, opcoes)


def test_a_load_that_waits_follows_the_first(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, outro = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=dist) for n in (1, 2)
    )
    with ThreadPoolExecutor(1) as pool:
        espera = []

        def chamar() -> None:
            espera.append(pool.submit(carregar, outro, Opcoes(esperar=True)))
            esperar_por(conn, "select from pg_locks where locktype = 'advisory' and not granted")

        with ao_copiar(chamar) as opcoes:
            carregar(gdb, opcoes)
        assert espera[0].result(timeout=60) == [f"{dist}-2024"]
    assert [s for _, s, _ in execucoes(conn, dist)] == ["completed"] * 10


def esperar_por(conn: psycopg.Connection, consulta: str) -> None:
    """Ask until there is a row."""
    while not conn.execute(consulta).rowcount:  # type: ignore[call-overload]
        pass


def test_a_reader_of_the_old_leaf_delays_the_swap_and_no_more(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, outro = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=dist) for n in (1, 2)
    )
    carregar(gdb, Opcoes())
    antes = retrato(conn, dist)
    with conectar() as leitor, ThreadPoolExecutor(1) as pool:
        with leitor.transaction():
            leitor.execute(f"select from raw_safra.ucbt_{dist}_2024")
            carga = pool.submit(carregar, outro, Opcoes())
            bloqueado = "select from pg_locks where relation is not null and not granted"
            esperar_por(conn, bloqueado)
        assert carga.result(timeout=60)
    assert retrato(conn, dist) != antes
    assert [s for _, s, _ in execucoes(conn, dist)] == ["completed"] * 10


def test_a_lost_connection_fails_and_changes_nothing(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, outro = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=dist) for n in (1, 2)
    )
    carregar(gdb, Opcoes())
    antes = retrato(conn, dist)

    def derrubar() -> None:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and (classid, objid) = (%s::oid, %s::oid)",
            [registro.CLASSE_DA_TRAVA, Safra.de_chave(f"{dist}-2024").trava],
        )

    with ao_copiar(derrubar) as opcoes, pytest.raises(FalhaDeBanco):
        carregar(outro, opcoes)
    assert retrato(conn, dist) == antes
    assert [s for _, s, _ in execucoes(conn, dist)] == ["completed"] * 5 + ["failed"] * 5


def test_without_a_server_the_exit_code_says_database(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    assert rodar(gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist)) == 4


MATAR = """
import os, signal, sys
from pathlib import Path
from loaders import bdgd, copia, registro
dono, nome, vez = sys.argv[2:]
modulo = {"bdgd": bdgd, "copia": copia, "registro": registro}[dono]
original, chamadas = getattr(modulo, nome), iter(range(int(vez)))
def morrer(*args, **kwargs):
    feito = original(*args, **kwargs)
    if next(chamadas, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return feito
setattr(modulo, nome, morrer)
bdgd.carregar(Path(sys.argv[1]), bdgd.Opcoes())
"""


@pytest.mark.parametrize(
    ("dono", "nome", "vez"),
    [
        ("registro", "travar", 0),
        ("registro", "iniciar", 0),
        ("bdgd", "criar_folha", 2),
        ("copia", "_copiar", 0),
        ("copia", "_copiar", 2),
        ("bdgd", "trocar", 0),
        ("registro", "concluir", 0),
    ],
)
def test_a_killed_load_changes_nothing_and_the_next_one_heals(
    conn: psycopg.Connection, dist: int, tmp_path: Path, dono: str, nome: str, vez: int
) -> None:
    # The same units, so that the gate has nothing to say of it.
    velho, novo = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, defeitos=faults, distribuidora=dist)
        for n, faults in enumerate(([], ["at_ds"]), 1)
    )
    carregar(novo, Opcoes())
    esperado = retrato(conn, dist)
    carregar(velho, Opcoes())
    antes = retrato(conn, dist)
    morto = subprocess.run(
        [sys.executable, "-c", MATAR, str(novo), dono, nome, str(vez)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )
    assert morto.returncode == -signal.SIGKILL, morto.stderr.decode()
    assert retrato(conn, dist) == antes
    carregar(novo, Opcoes())
    assert retrato(conn, dist) == esperado
    depois = execucoes(conn, dist)[10:]
    assert {(s, e) for _, s, e in depois[:-5]} <= {("failed", "processo interrompido")}
    assert [s for _, s, _ in depois[-5:]] == ["completed"] * 5


def test_what_is_landed_already_closes_the_executions_of_a_dead_process(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    feito, outro = (
        gerar(tmp_path / f"{n}.gdb", ucs=60, semente=n, distribuidora=dist) for n in (1, 2)
    )
    carregar(feito, Opcoes())
    abertas = "select count(*) from intel_lead.import_status where status = 'running'"
    abertas += " and distribuidora_id = %s"

    def repetir() -> None:
        carregar(feito, Opcoes())
        assert valor(conn, abertas, dist) == 5, "those of a live process were closed"

    with ao_copiar(repetir) as opcoes:
        carregar(outro, opcoes)
    carregar(feito, Opcoes())
    safra = Safra.de_chave(f"{dist}-2024")
    registro.iniciar(conn, safra, CAMADAS, arquivo="morto.gdb", sha256="x")
    carregar(feito, Opcoes())
    assert valor(conn, abertas, dist) == 0
    assert execucoes(conn, dist)[-1] == ("CONJ", "failed", "processo interrompido")


def gravar_csv(pasta: Path, *dists: int, nome: str = "ucmt_pj.csv") -> Path:
    linhas = [f"UC{n};{d};{n},5;31DEC2024;-51,5;-28" for n, d in enumerate(dists, 1)]
    arquivo = pasta / nome
    arquivo.write_text("COD_ID_ENCR;DIST;ENE_01;DATA_BASE;POINT_X;POINT_Y\n" + "\n".join(linhas))
    return arquivo


def test_a_national_csv_is_split_and_the_other_layers_are_empty(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    outra = next(DISTRIBUIDORAS)
    assert rodar(gravar_csv(tmp_path, dist, outra, dist)) == 0
    assert conn.execute(
        "select linha, cod_id, ene_01, point_x from raw.ucmt where distribuidora_id = %s"
        " order by linha",
        [dist],
    ).fetchall() == [(1, "UC1", 1.5, -51.5), (3, "UC3", 3.5, -51.5)]
    for d in (dist, outra):
        assert len(retrato(conn, d)["folhas"]) == len(CAMADAS)
        assert [(c, s) for c, s, _ in execucoes(conn, d)] == [("UCMT", "completed")]


def test_a_nan_is_rejected_and_not_measured(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    arquivo = gravar_csv(tmp_path, dist, dist)
    arquivo.write_text(arquivo.read_text().replace(";1,5;", ";NaN;"))
    assert rodar(arquivo) == 0
    assert conn.execute(
        "select linha, motivo, registro -> 'ene_01' from raw.rejeitado where distribuidora_id = %s",
        [dist],
    ).fetchall() == [(1, "energia que não é um número finito", None)]
    consulta = "select energia_kwh from controle.entrega where distribuidora_id = %s"
    assert valor(conn, consulta, dist) == 2.5


def test_a_csv_does_not_replace_a_geodatabase_unasked(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    outra = next(DISTRIBUIDORAS)
    gdb = gerar(tmp_path / "a.gdb", ucs=200, distribuidora=dist)
    arquivo = gravar_csv(tmp_path, dist, outra)
    assert rodar(gdb) == 0
    antes = retrato(conn, dist)
    assert rodar(arquivo) == 3
    assert conn.execute(
        "select ano, status::text from intel_lead.import_status"
        " where distribuidora_id = %s and arquivo = 'ucmt_pj.csv'",
        [dist],
    ).fetchall() == [(2024, "failed")], "a refusal is of a safra, where the file says which"
    assert retrato(conn, dist) == antes
    assert rodar(arquivo, "--safra", f"{outra}-2024") == 0
    assert retrato(conn, dist) == antes
    assert rodar(arquivo, "--substituir") == 0
    depois = retrato(conn, dist)
    assert {tabela for tabela in antes if antes[tabela] != depois[tabela]} == {"ucmt"}
    assert conn.execute(
        "select objeto, detalhes - 'import_id', usuario_so is not null from controle.auditoria"
        " where acao = %s and split_part(objeto, '-', 1)::integer = any(%s)",
        [SUBSTITUICAO, [dist, outra]],
    ).fetchall() == [(f"{dist}-2024", {"camada": "UCMT", "arquivo": "ucmt_pj.csv"}, True)]
    assert rodar(gdb) == 0
    assert retrato(conn, dist) == antes


def test_a_dry_run_touches_no_database(dist: int, tmp_path: Path) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPORT", "1")
        assert rodar(gdb, "--dry-run") == 0


def test_a_vintage_is_given_by_hand_where_the_file_has_none(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = gerar(tmp_path / "a.gdb", ucs=60, distribuidora=dist, defeitos=["sem_base"])
    assert rodar(gdb) == 3
    assert rodar(gdb, "--safra", f"{dist}-2022") == 0
    assert "sem BASE" in str(
        valor(
            conn,
            "select observacoes from intel_lead.import_status where distribuidora_id = %s limit 1",
            dist,
        )
    )


def test_a_wrong_use_is_exit_code_two(tmp_path: Path) -> None:
    assert rodar(tmp_path / "nada.gdb") == 2
    assert rodar(tmp_path, "--safra", "2024") == 2


@pytest.mark.skipif(not MUX.exists(), reason=f"{MUX.name} is not beside the clone")
def test_the_real_mux_2024_lands_to_the_kwh(conn: psycopg.Connection) -> None:
    assert rodar(MUX) == 0
    for tabela, linhas, kwh in (("ucbt", 13_300, 41_388_768.80), ("ucmt", 40, 41_884_326.44)):
        soma = " + ".join(f"ene_{mes:02d}" for mes in range(1, 13))
        assert conn.execute(
            f"select count(*), round(sum({soma})::numeric, 2)::float from raw.{tabela}"  # noqa: S608
            " where (distribuidora_id, ano) = (401, 2024)"
        ).fetchone() == (linhas, kwh)
    assert valor(conn, "select count(*) from raw.ponnot where distribuidora_id = 401") == 4848
