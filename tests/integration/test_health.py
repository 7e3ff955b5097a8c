"""What is wrong is found, told once to each recipient, told again when it is over, and forgotten.

Not here: deliveries that fail (test_alert_delivery.py), backups themselves (test_backup.py).
"""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from dagster_pipeline import status
from dagster_pipeline.defs import open_data, watch
from dagster_pipeline.defs.resources import end_dead_runs
from health import backups, incidents, machine, questions
from health.__main__ import app
from health.finding import Severity
from loaders.errors import InvalidInput
from loaders.open_data.registry import DATASETS
from server import backup, drill, run_states
from tests.integration import receivers
from tests.integration import warehouse as a

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINE = "where distribuidora_id = 404"


@pytest.fixture(autouse=True)
def here(
    warehouse: a.Warehouse,
    own_dagster: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    conn: psycopg.Connection,
) -> Iterator[None]:
    """The module's warehouse, with a fresh backup that was tried; nobody is told."""
    for name, value in warehouse.env.items():
        monkeypatch.setenv(name, value)
    for setting in (incidents.RECIPIENTS, "INTEL_SEGUIR"):
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setattr(backups, "ages", lambda: (HOUR, HOUR))
    conn.execute("truncate app.incidente")
    conn.execute("delete from app.entrega")
    yield
    conn.execute("truncate app.incidente")
    conn.execute("delete from app.entrega")


def keys(conn: psycopg.Connection) -> dict[str, Severity]:
    """What is wrong now."""
    return {finding.key: finding.severity for finding in questions.found(conn)}


def test_nothing_is_wrong_with_a_warehouse_that_is_well(conn: psycopg.Connection) -> None:
    assert keys(conn) == {}
    assert CliRunner().invoke(app, []).output == "tudo bem\n"


PLANTED = {
    "held": (
        f"update controle.safra_importada set retida = true, motivo_retencao = 'sumiu' {MINE}",
        f"update controle.safra_importada set retida = false, motivo_retencao = null {MINE}",
        ("safra:404-2024", Severity.ERROR, "sumiu", "liberar 404-2024"),
    ),
    "failed": (
        "insert into controle.safra_reprovada (ano, distribuidora_id, import_id, sql_md5,"
        " invocacao, onde, linhas, chaves, motivo) select ano, distribuidora_id, import_id, 'x',"
        " gen_random_uuid(), 'energia_conservada', 3, '[{\"mes\": 4}]', '3 linhas'"
        f" from controle.safra_importada {MINE}",
        "delete from controle.safra_reprovada",
        (
            "safra:404-2024",
            Severity.ERROR,
            'energia_conservada: 3 linhas, a primeira {"mes": 4}',
            "make build SAFRA=404-2024",
        ),
    ),
    "waiting": (
        "update controle.safra_importada set importada_em = now() - interval '3 hours',"
        f" import_id = import_id + 1000 {MINE}",
        f"update controle.safra_importada set import_id = import_id - 1000 {MINE}",
        ("safra:404-2024", Severity.ERROR, "nenhuma construção", "make build"),
    ),
    "refused": (
        "insert into intel_lead.import_status (arquivo, status, data_fim, erro)"
        " values ('b.gdb.zip', 'failed', clock_timestamp(), 'b.gdb.zip: cortado')",
        "delete from intel_lead.import_status where arquivo = 'b.gdb.zip'",
        ("arquivo:b.gdb.zip", Severity.NOTICE, "cortado", "make run BDGD=PASTA/b.gdb.zip"),
    ),
    "late": (
        "insert into controle.aberto_arquivo (conjunto, arquivo, sha256, linhas, rejeitadas,"
        " aterrissado_em) values ('pld', 'p.csv', 'x', 1, 0, now() - interval '900 days')",
        "delete from controle.aberto_arquivo where arquivo = 'p.csv'",
        ("fonte:pld", Severity.NOTICE, DATASETS["pld"].title, "loaders aberto pld"),
    ),
    "given up": (
        "insert into app.entrega (assunto, referencia, destino, corpo, situacao, proxima_em,"
        " criada_em, ultimo_erro)"
        " values ('lead', '1', 'crm', '{}', 'morta', now(), now(), 'respondeu 500')",
        "delete from app.entrega where destino = 'crm'",
        ("entrega:crm", Severity.NOTICE, "respondeu 500", "enviar --mortas"),
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_each_kind_of_trouble_is_found_with_its_reason_and_command_and_heals(
    conn: psycopg.Connection, what: str
) -> None:
    plant, heal, (key, severity, reason, command) = PLANTED[what]
    conn.execute(plant)
    try:
        (finding,) = questions.found(conn)
    finally:
        conn.execute(heal)
    assert (finding.key, finding.severity) == (key, severity)
    assert reason in finding.reason
    assert command in finding.command
    assert key.partition(":")[2] in finding.what
    assert keys(conn) == {}


def test_a_landing_waits_for_its_build_for_some_time(conn: psycopg.Connection) -> None:
    """And is no trouble while a build runs."""
    plant, heal, _ = PLANTED["waiting"]
    conn.execute(plant)
    conn.execute(f"update controle.safra_importada set importada_em = now() {MINE}")
    assert keys(conn) == {}
    conn.execute(f"update controle.safra_importada set importada_em = '2026-01-01' {MINE}")
    assert [*keys(conn)] == ["safra:404-2024"]
    from loaders import ledger

    with psycopg.connect("", autocommit=True) as building:
        building.execute(f"select pg_advisory_lock({ledger.DBT_LOCK})")
        assert keys(conn) == {}
    conn.execute(heal)


def test_a_followed_vintage_that_readers_do_not_see(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute("""
        insert into controle.dataset_catalogo (item_id, fonte, titulo, tipo, url, sigla,
            distribuidora_id, data_base, modelo, enviado_em, visto_primeiro_em)
        select i, 'hub', 'A_401_' || d || '_V11_20260801-1200', 'geodatabase', 'http://x', 'A', 401,
            d::date, 'V11', '2026-08-01', now() - days * interval '1 day'
        from (values ('a', '2027-12-31', 5), ('b', '2026-12-31', 1), ('c', '2024-12-31', 5)
        ) as v (i, d, days)""")
    conn.execute("""
        insert into controle.dataset_catalogo_leitura (fonte, itens, novos, completa)
        values ('hub', 3, 3, true), ('ckan', 0, 0, true)""")
    assert keys(conn) == {}
    monkeypatch.setenv("INTEL_SEGUIR", "401")
    found = {finding.key: finding for finding in questions.found(conn)}
    # 2026 came yesterday; 2024 is public, from a file of another name.
    assert "catalogo:401-2027" in found
    assert "catalogo:401-2026" not in found
    assert found["catalogo:401-2027"].command == 'make backfill SAFRAS="401-2027"'
    conn.execute("update controle.dataset_catalogo_leitura set lido_em = now() - interval '3 days'")
    assert "catalogo:leitura" in keys(conn)
    monkeypatch.setenv("INTEL_SEGUIR", "tudo")
    assert keys(conn) == {"catalogo:ajuste": Severity.ERROR}
    conn.execute("truncate controle.dataset_catalogo, controle.dataset_catalogo_leitura cascade")


@pytest.mark.parametrize(
    ("made", "tried", "key", "severity"),
    [
        (None, None, "copia:idade", Severity.NOTICE),
        (timedelta(days=3), HOUR, "copia:idade", Severity.ERROR),
        (HOUR, None, "copia:restauro", Severity.NOTICE),
        (HOUR, timedelta(days=40), "copia:restauro", Severity.NOTICE),
    ],
)
def test_backups_that_are_old_or_untried(
    conn: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    made: timedelta | None,
    tried: timedelta | None,
    key: str,
    severity: Severity,
) -> None:
    monkeypatch.setattr(backups, "ages", lambda: (made, tried))
    assert keys(conn) == {key: severity}


@pytest.mark.parametrize(
    ("free", "severity"), [(4, Severity.ERROR), (14, Severity.NOTICE), (16, None)]
)
def test_a_full_disk(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity | None
) -> None:
    monkeypatch.setattr(machine, "disk", lambda: machine.Disk(free, 100))
    assert keys(conn) == ({} if severity is None else {"disco": severity})


def test_sessions_that_keep_others_waiting(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "WAITING", timedelta(0))
    with psycopg.connect("") as holder, psycopg.connect("") as waiter:
        holder.execute("lock table app.contato in access exclusive mode")
        asking = threading.Thread(target=waiter.execute, args=["select count(*) from app.contato"])
        asking.start()
        blocked = "select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
        a.until(lambda: conn.execute(blocked, [waiter.info.backend_pid]).fetchone())
        (finding,) = questions.found(conn)
        assert (finding.key, str(holder.info.backend_pid) in finding.reason) == ("trava", True)
        holder.rollback()
        asking.join()
        waiter.rollback()
    monkeypatch.setattr(machine, "IDLE", timedelta(0))
    with psycopg.connect("") as idle:
        idle.execute("select")
        assert keys(conn) == {"transacao_parada": Severity.NOTICE}


def test_a_job_whose_newest_run_failed_until_one_succeeds(conn: psycopg.Connection) -> None:
    fails = [True]

    @dg.op
    def step() -> None:
        if fails:
            raise ValueError("a fonte\nnão responde")

    @dg.job(name="relogio")
    def clock() -> None:
        step()

    def run() -> None:
        with dg.DagsterInstance.get() as instance:
            clock.execute_in_process(instance=instance, raise_on_error=False)

    run()
    (finding,) = questions.found(conn)
    assert (finding.key, finding.severity) == ("execucao:relogio", Severity.ERROR)
    assert "a fonte não responde" in finding.reason
    assert "/runs/" in finding.command
    fails.clear()
    run()
    assert keys(conn) == {}


def test_a_run_that_failed_for_its_files_alone_is_told_as_files(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    """One message for a bad file, not two; of another failure no Python name is said."""
    how = {"noted": True}

    @dg.op
    def step() -> None:
        raise dg.Failure("arquivo ruim.gdb.zip: cortado", metadata={run_states.NOTED: how["noted"]})

    @dg.job(name="relogio")
    def clock() -> None:
        step()

    with dg.DagsterInstance.get() as instance:
        clock.execute_in_process(instance=instance, raise_on_error=False)
        assert keys(conn) == {}
        how["noted"] = False
        clock.execute_in_process(instance=instance, raise_on_error=False)
        (finding,) = questions.found(conn)
        assert finding.reason == "arquivo ruim.gdb.zip: cortado"
        for run in instance.get_runs():
            instance.delete_run(run.run_id)


def test_a_killed_run_is_told_before_and_after_dagster_knows(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_states, "GRACE_S", 0)

    @dg.job(name="relogio")
    def clock() -> None:
        pass

    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(clock)
        instance.report_dagster_event(
            dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "relogio"), run.run_id
        )
        lock = [run_states.LOCK, run.run_id]
        conn.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", lock)
        assert keys(conn) == {}
        assert "em andamento" in "\n".join(status.runs(conn))
        conn.execute("select pg_advisory_unlock_shared(%s, hashtext(%s))", lock)
        (finding,) = questions.found(conn)
        assert "morreu" in finding.reason
        assert "interrompida" in "\n".join(status.runs(conn))
        assert end_dead_runs(instance, conn) == [run.run_id]
        (finding,) = questions.found(conn)
        assert "morreu" in finding.reason
        instance.delete_run(run.run_id)


REFUSED = (
    "insert into intel_lead.import_status (arquivo, sha256, status, data_fim, erro)"
    " values (%s, 'abc', 'failed', clock_timestamp(), 'cortado') returning import_id"
)
LANDED = (
    "insert into intel_lead.import_status"
    " (arquivo, sha256, distribuidora_id, ano, status, data_fim)"
    " values (%s, %s, %s, 2025, 'completed', clock_timestamp())"
)
NAME = "Mux_Energia_905_2025-12-31_V11_20260806-1857.gdb.zip"


@pytest.mark.parametrize(
    ("landed", "over"),
    [
        ((NAME, "abd", 905), True),
        (("outro (1).gdb.zip", "abc", 905), True),
        (("Mux_Energia_905_2025-12-31_V11_20260901-1000.gdb.zip", "abd", 905), True),
        (("Mux_Energia_906_2025-12-31_V11_20260806-1857.gdb.zip", "abd", 906), False),
    ],
    ids=["again", "the same content", "another file of the safra", "another safra"],
)
def test_a_refused_file_is_over_once_what_it_should_bring_is_there(
    conn: psycopg.Connection, landed: tuple[str, str, int], over: bool
) -> None:
    conn.execute(LANDED, ["velho.gdb.zip", "abb", 905])
    conn.execute(REFUSED, [NAME])
    assert set(keys(conn)) == {f"arquivo:{NAME}"}
    conn.execute(LANDED, landed)
    found = set(keys(conn))
    conn.execute("delete from intel_lead.import_status where ano = 2025 or sha256 = 'abc'")
    assert found == (set() if over else {f"arquivo:{NAME}"})


def test_a_refused_file_of_the_inbox_is_named_where_it_lies(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path / "a caixa"))
    kept = tmp_path / "a caixa" / "recusado" / NAME
    kept.parent.mkdir(parents=True)
    kept.touch()
    conn.execute(REFUSED, [NAME])
    (finding,) = questions.found(conn)
    conn.execute("delete from intel_lead.import_status where sha256 = 'abc'")
    assert finding.command.startswith(f"make run BDGD='{kept}'")


# Telling ------------------------------------------------------------------------------------------


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[receivers.Receiver, list[str]]]:
    """Webhook ``sala`` and a mailbox, both to be told."""
    with receivers.web() as receiver, receivers.mail() as (port, messages):
        monkeypatch.setenv("INTEL_WEBHOOK_SALA", receiver.url)
        monkeypatch.setenv("INTEL_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("INTEL_SMTP_PORT", str(port))
        monkeypatch.setenv("INTEL_SMTP_TLS", "nao")
        monkeypatch.setenv(incidents.RECIPIENTS, "sala, ana@empresa.com.br")
        yield receiver, messages


def test_one_message_per_incident_and_one_when_it_is_over(
    conn: psycopg.Connection, room: tuple[receivers.Receiver, list[str]]
) -> None:
    receiver, mailbox = room
    plant, heal, _ = PLANTED["held"]
    conn.execute(plant)
    for hour in range(4):
        incidents.watch(conn, NOON + hour * HOUR)
    ((_, body),) = receiver.got
    assert (body["incidente"], body["gravidade"]) == ("safra:404-2024", "erro")
    assert "404-2024 retida" in body["nome"]
    assert body["motivo"] == "sumiu"
    assert "liberar 404-2024" in body["comando"]
    (mail,) = (message_from_string(text) for text in mailbox)
    assert "404-2024" in mail["Subject"]
    conn.execute(heal)
    assert incidents.watch(conn, NOON + 5 * HOUR).closed == ["safra 404-2024 retida pelo portão"]
    incidents.watch(conn, NOON + 6 * HOUR)
    assert [body["titulo"] for _, body in receiver.got] == ["erro", "resolvido"]
    conn.execute(plant)
    incidents.watch(conn, NOON + 7 * HOUR)
    conn.execute(heal)
    assert [body["titulo"] for _, body in receiver.got] == ["erro", "resolvido", "erro"]
    assert len(mailbox) == 3
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 3


def test_what_gets_worse_is_told_again_and_what_gets_better_is_not(
    conn: psycopg.Connection,
    room: tuple[receivers.Receiver, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for hour, free in enumerate((14, 4, 14, 4)):
        monkeypatch.setattr(machine, "disk", lambda free=free: machine.Disk(free, 100))
        incidents.watch(conn, NOON + hour * HOUR)
    assert [body["gravidade"] for _, body in room[0].got] == ["aviso", "erro"]


def test_two_looks_at_once_tell_once(
    conn: psycopg.Connection, room: tuple[receivers.Receiver, list[str]]
) -> None:
    plant, heal, _ = PLANTED["held"]
    conn.execute(plant)

    def look() -> None:
        with psycopg.connect("", autocommit=True) as own:
            incidents.watch(own, NOON)

    both = [threading.Thread(target=look) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    conn.execute(heal)
    assert len(room[0].got) == 1
    assert a.value(conn, "select count(*) from app.incidente") == 1


def test_the_command_ends_with_how_bad_it_is(conn: psycopg.Connection) -> None:
    outcomes = []
    for what in ("late", "held"):
        plant, heal, _ = PLANTED[what]
        conn.execute(plant)
        done = CliRunner().invoke(app, ["--avisar"])
        conn.execute(heal)
        outcomes.append(
            (done.exit_code, all(len(x) <= 80 or "→" in x for x in done.stdout.splitlines()))
        )
    assert outcomes == [(1, True), (2, True)]
    assert CliRunner().invoke(app, [], env={"PGPORT": "1"}).exit_code == 4
    opened = "select chave, fechado_em is not null from app.incidente order by id"
    assert conn.execute(opened).fetchall() == [("fonte:pld", True), ("safra:404-2024", False)]


SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\})? [-+.e0-9]+')


def test_a_monitor_reads_the_same(conn: psycopg.Connection) -> None:
    plant, heal, _ = PLANTED["refused"]
    conn.execute(plant.replace("b.gdb.zip", 'b"\\\n.gdb.zip'))
    done = CliRunner().invoke(app, ["--prometheus"])
    conn.execute("delete from intel_lead.import_status where status = 'failed'")
    assert done.exit_code == Severity.NOTICE
    samples = [line for line in done.stdout.splitlines() if not line.startswith("# ")]
    assert [line for line in samples if not SAMPLE.fullmatch(line)] == []
    assert 'intel_incidentes{gravidade="aviso"} 1' in samples
    assert r'intel_incidente{chave="arquivo:b\"\\\n.gdb.zip",gravidade="aviso"} 1' in samples
    assert 'intel_safras{situacao="publicada"} 2' in samples
    names = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len({*names})


# On Dagster's page --------------------------------------------------------------------------------


def test_the_watch_tells_checks_when_they_change_alone(conn: psycopg.Connection) -> None:
    plant, heal, _ = PLANTED["late"]
    check = dg.AssetCheckKey(open_data.key(DATASETS["pld"]), open_data.FRESH)
    with dg.DagsterInstance.get() as instance:

        def look(cursor: str | None) -> tuple[str, list[bool]]:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            after = watch.watch(context).cursor
            storage = instance.event_log_storage
            records = storage.get_asset_check_execution_history(check, limit=10)
            return after, [
                r.event.dagster_event.asset_check_evaluation_data.passed for r in records
            ]

        cursor, told = look(None)
        assert told == []
        conn.execute(plant)
        cursor, told = look(cursor)
        assert told == [False]
        cursor, told = look(cursor)
        assert told == [False]
        conn.execute(
            "update controle.aberto_arquivo set aterrissado_em = now() where arquivo = 'p.csv'"
        )
        cursor, told = look(cursor)
        assert told == [True, False]
    conn.execute(heal)


# The trial of a backup ----------------------------------------------------------------------------


def test_a_backup_that_holds_what_it_says_is_dated(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    folder = backup.create(tmp_path)
    trial = drill.run(tmp_path)
    assert (trial.folder, trial.safras) == (folder.name, 2)
    assert drill.last(tmp_path).at == trial.at.replace(microsecond=0)
    there = "select 1 from pg_database where datname = %s"
    assert conn.execute(there, [drill.SCRATCH]).fetchone() is None
    with pytest.raises(InvalidInput, match="nenhuma|não há cópia"):
        drill.run(tmp_path / "vazia")


def test_a_restored_table_that_lost_rows_is_noticed(conn: psycopg.Connection) -> None:
    said = backup._contents(conn)
    assert drill.differences(conn, said) == []
    with conn.transaction():
        conn.execute(
            "delete from intel_lead.lead_resumo_anual where uc_id = (select uc_id from"
            " intel_lead.lead_resumo_anual where energia_anual_kwh > 0 and distribuidora_id = 404"
            " limit 1)"
        )
        (wrong,) = drill.differences(conn, said)
        assert "404-2024" in wrong
        raise psycopg.Rollback
    fewer = {key: value for key, value in said.items() if key != "401-2024"}
    (wrong,) = drill.differences(conn, fewer)
    assert "401-2024" in wrong
