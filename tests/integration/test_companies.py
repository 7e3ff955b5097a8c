"""From the registry to the marts: candidates worked out by hand, whom no mart shows, who reads.

Belongs here: a built warehouse with a registry. Not here: landing (test_landing_companies.py),
single cases of the score (dbt's unit tests).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.companies import geocoding
from tests import companies as c
from tests.integration import warehouse as a

TOM = {4309803: "8697", 4320909: "8921", 4316733: "1166"}
ALONE = """
    select l.uc_id::text, l.municipio_id, l.cep, l.cnae_id
    from intel_lead.lead_bruto as l
    inner join intel_lead.classe_consumo as k on l.classe_consumo_id = k.id
    inner join intel_lead.cnae as n on l.cnae_id = n.id and n.edicao = '2.3'
    where (l.ano, l.distribuidora_id) = (2024, 401) and l.situacao_uc_id = 'AT'
        and k.tipo_cliente = 'PJ' and k.id not like 'RU%'
        and not exists (
            select from intel_lead.lead_bruto as o
            where (o.ano, o.distribuidora_id, o.municipio_id, o.cep)
                = (l.ano, l.distribuidora_id, l.municipio_id, l.cep)
                and left(o.cnae_id, 5) = left(l.cnae_id, 5) and o.uc_id <> l.uc_id
        )
    order by l.uc_id limit 3
"""
"""Units that share their activity with no other of their CEP."""
SILENT = """
    select l.uc_id::text, l.municipio_id, l.cep, l.cod_id
    from intel_lead.lead_bruto as l
    inner join intel_lead.classe_consumo as k on l.classe_consumo_id = k.id
    where (l.ano, l.distribuidora_id) = (2024, 401) and l.situacao_uc_id = 'AT'
        and k.tipo_cliente = 'PJ' and k.id not like 'RU%'
        and l.cnae_id is null and l.cep is not null and l.municipio_id is not null
        and l.origem = 'UCBT' order by l.uc_id limit 1
"""
PERSONS = ("MARIA DE SOUZA 12345678901", "JOAO DA SILVA", "ANA 12345678901")
MANY = 300


@dataclass(frozen=True)
class Case:
    """The units that the registry was made for: alone; beside a MEI; beside 300; by its address."""

    sole: str
    beside_person: str
    beside_many: str
    addressed: str


@pytest.fixture(scope="module")
def case(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A registry for four units of 401-2024, landed and built."""
    with warehouse.connect() as conn:
        (sole, beside, crowd) = conn.execute(ALONE).fetchall()
        addressed = conn.execute(SILENT).fetchone()
        conn.execute(
            "insert into raw.complemento (ano, distribuidora_id, import_id, linha, origem, cep, uc,"
            " lgrd, sit_ativ, correspondencia) select 2024, 401, import_id, 1, 'UCBT', %s, %s,"
            " 'Rua Unica das Acacias, 77', 'AT', 'cod_id' from controle.safra_importada"
            " where (ano, distribuidora_id) = (2024, 401)",
            [addressed[2], addressed[3]],
        )
    establishments, companies = [], []

    def add(root: str, town: int, cep: str, cnae: str, razao: str = "", **values: str) -> None:
        establishments.append(
            c.establishment(root, tom=TOM[town], cep=cep, cnae=cnae, **{"numero": "1"} | values)
        )
        person = {"natureza": "2135"} if razao in PERSONS[:2] else {}
        companies.append(c.company(root, razao=razao or f"EMPRESA {root} LTDA", **person))

    add("10000001", *sole[1:], numero="11")
    add("10000002", *beside[1:], numero="12")
    add("10000003", *beside[1:], razao=PERSONS[0], numero="13")
    for n in range(MANY):
        add(f"{20000000 + n}", *crowd[1:], numero=f"{1000 + n}")
    add("10000004", addressed[1], addressed[2], "9001901", logradouro="UNICA DAS ACACIAS",
        numero="77", tipo="RUA")  # fmt: skip
    add("10000005", *sole[1:3], "9001902", razao=PERSONS[1], numero="14")
    add("10000006", *sole[1:3], "9001903", razao=PERSONS[2], numero="15")
    add("10000007", *sole[1:3], "9001904", razao="MEI PELO SIMPLES", numero="16")
    folder = c.write(
        tmp_path_factory.mktemp("cnpj") / "2026-06",
        {
            "Estabelecimentos0": establishments,
            "Empresas0": companies,
            "Simples": [c.simples("10000007", "S")],
        },
    )
    done = a.Running(a._loaders, ["empresas", str(folder)], env=warehouse.env).wait()
    assert done.ok, done.text
    done = warehouse.build()
    assert done.ok, done.trouble
    built = {name.split(" ")[0] for name, (_, said) in done.nodes.items() if "0 safras" not in said}
    assert "lead_empresa" in built
    assert not {"lead_bruto", "lead_serie", "lead_energia_mensal"} & built, "nothing of it changed"
    return Case(sole[0], beside[0], crowd[0], addressed[0])


def test_candidates_are_those_worked_out_by_hand(case: Case, conn: psycopg.Connection) -> None:
    """Their CEPs are whole towns' (5 points); existed in 2024 (5).

    Alone: 30 + 5 + 30 + 5. Beside a person's firm of the same activity: 30 + 5 + 30 / 2 + 5. One of
    300: none. No activity, the same street and number, alone there: 5 + 30 + 10 + 15 + 5.
    """
    found = conn.execute(
        "select uc_id::text, cnpj, escore, ordem, candidatos, confianca, preenche_cnae"
        " from marts.mart_lead_empresa where uc_id = any(%s::uuid[]) order by cnpj",
        [[case.sole, case.beside_person, case.beside_many, case.addressed]],
    ).fetchall()
    assert found == [
        (case.sole, c.cnpj("10000001"), 70, 1, 1, "alta", False),
        (case.beside_person, c.cnpj("10000002"), 55, 1, 1, "possivel", False),
        (case.addressed, c.cnpj("10000004"), 65, 1, 1, "alta", True),
    ]


def test_every_score_is_the_sum_of_its_evidence(case: Case, conn: psycopg.Connection) -> None:
    wrong = """
        select count(*) from marts.mart_lead_empresa as m
        where escore <> (
            select sum((e ->> 'pontos')::numeric) from jsonb_array_elements(m.evidencia) as e
        )
    """
    assert a.value(conn, wrong) == 0
    assert a.value(conn, "select count(*) from marts.mart_lead_empresa") >= 3


def test_a_sure_company_gives_its_activity_to_who_says_none(
    case: Case, conn: psycopg.Connection
) -> None:
    found = conn.execute(
        "select cnae_id, cnae_origem, segmento_origem from marts.mart_lead where uc_id = %s",
        [case.addressed],
    ).fetchone()
    assert found == ("9001901", "empresa", "empresa")
    assert conn.execute(
        "select cnae_origem from marts.mart_lead where uc_id = %s", [case.sole]
    ).fetchone() == ("bdgd",)


def test_the_rollups_have_each_unit_in_the_segment_that_its_lead_has(
    case: Case, conn: psycopg.Connection
) -> None:
    """Of who is no lead, as before: by the activity, else by the class."""
    beside = """
        select c.segmento, c.n, u.n
        from (
            select segmento_mercado_id as segmento, sum(quantidade_leads) as n
            from intel_lead.safra_celula
            where dimensao = 'segmento' and ano = 2024 and distribuidora_id = 401 group by 1
        ) as c
        full join (
            select
                coalesce(m.segmento_mercado_id, l.segmento_mercado_id, k.segmento_mercado_id)
                    as segmento,
                count(*) as n
            from intel_lead.lead_bruto as l
            left join intel_lead.lead_mercado as m using (uc_id)
            left join seeds.classe_segmento as k on l.classe_consumo_id = k.classe_consumo_id
            where l.ano = 2024 and l.distribuidora_id = 401 group by 1
        ) as u on coalesce(c.segmento, '') = coalesce(u.segmento, '')
    """
    rows = conn.execute(beside).fetchall()
    assert all(cell == units for _, cell, units in rows), rows
    own = "select segmento_mercado_id, classe_consumo_id from marts.mart_lead where uc_id = %s"
    segment, kind = conn.execute(own, [case.addressed]).fetchone()
    of_class = "select segmento_mercado_id from seeds.classe_segmento where classe_consumo_id = %s"
    assert segment != a.value(conn, of_class, [kind])
    assert segment in {name for name, *_ in rows}


def test_the_log_says_what_was_found_and_a_failed_search_fails_no_lead(
    case: Case, conn: psycopg.Connection
) -> None:
    rows = conn.execute(
        "select uc_id::text, empresa::text, endereco::text, enriquecimento_status::text"
        " from intel_lead.vw_lead_status_enriquecimento where uc_id = any(%s::uuid[])",
        [[case.sole, case.beside_many, case.addressed]],
    )
    found = {uc_id: rest for uc_id, *rest in rows}
    assert found[case.sole][:2] == ["success", None]
    assert found[case.beside_many][0] == "failed"
    assert found[case.addressed][:2] == ["success", "success"]
    steps = """
        select count(*) from intel_lead.vw_lead_status_enriquecimento
        where (enriquecimento_status = 'success')
            <> (coordenada = 'success' and cnae_segmento = 'success' and municipio = 'success')
    """
    assert a.value(conn, steps) == 0
    persons = """
        select count(*) from intel_lead.lead_enrichment_log as g
        inner join intel_lead.lead_bruto as l using (uc_id, ano, distribuidora_id)
        left join intel_lead.classe_consumo as k on l.classe_consumo_id = k.id
        where g.etapa in ('empresa', 'endereco') and k.tipo_cliente is distinct from 'PJ'
    """
    assert a.value(conn, persons) == 0


def test_a_companys_row_counts_each_unit_once(case: Case, conn: psycopg.Connection) -> None:
    """Of every company, from the rows of its candidates; of one, its only unit's own figures."""
    once = """
        select cnpj_basico, count(*), round(sum(energia_anual_kwh)::numeric, 3)
        from marts.mart_lead_empresa as m inner join marts.mart_lead as l using (uc_id)
        where m.ordem = 1 group by 1 order by 1
    """
    kept = """
        select cnpj_basico, unidades, round(energia_anual_kwh::numeric, 3)
        from marts.mart_empresa where unidades > 0 order by 1
    """
    assert conn.execute(kept).fetchall() == conn.execute(once).fetchall()
    rows = conn.execute(
        "select e.unidades_confianca_alta, e.energia_anual_kwh = l.energia_anual_kwh,"
        " e.melhor_oferta = l.melhor_oferta, e.melhor_score = l.melhor_score"
        " from marts.mart_empresa as e, marts.mart_lead as l"
        " where e.cnpj_basico = '10000004' and l.uc_id = %s",
        [case.addressed],
    )
    assert rows.fetchall() == [(1, True, True, True)]


def test_no_persons_firm_is_in_any_table(case: Case, conn: psycopg.Connection) -> None:
    """By the name, by the number, in every relation that people read."""
    roots = ["10000003", "10000005", "10000006", "10000007"]
    words = "|".join([*PERSONS, "MEI PELO SIMPLES", *roots])
    for name in a.relations(conn, "intel_lead", "marts", "raw"):
        if re.search("empresa", name) or name.endswith(("mart_lead", "lead_enrichment_log")):
            query = f"select count(*) from {name} as t where t::text ~ %s"
            assert a.value(conn, query, [words]) == 0, name


def test_bi_leitor_reads_candidates_without_their_contacts(
    case: Case, conn: psycopg.Connection
) -> None:
    """Whether dbt made the view before the roles or after them."""
    with conn.transaction(force_rollback=True):
        conn.execute("create role bi_leitor")
        conn.execute("grant usage on schema marts to bi_leitor")
        conn.execute("grant select on all tables in schema marts to bi_leitor")
        for _ in range(2):
            conn.execute("select controle.esconde_contatos()")
        conn.execute("set local role bi_leitor")
        assert a.value(conn, "select count(cnpj) from marts.mart_lead_empresa") >= 3
        for column in ("telefone", "email", "*"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                conn.execute(f"select {column} from marts.mart_lead_empresa")
        assert a.value(conn, "select count(*) from marts.mart_empresa") >= 3


def test_the_registry_of_another_month_makes_the_safra_pending(
    case: Case, conn: psycopg.Connection
) -> None:
    """By what the step was made of; a step that is taken back is as much of a change."""
    query = """
        select controle.parametros_da_safra(
            '', %s, 2024, 401
        )
    """
    name = f'"{conn.info.dbname}"."controle"."enriquecimento_da_safra"'
    roots = psycopg.types.json.Jsonb({name: "parte.ano = {ano}"})
    with conn.transaction(force_rollback=True):
        seen = {a.value(conn, query, [roots])}
        for change in ("sinal = sinal || ' 9'", "desfeita = true"):
            conn.execute(f"update controle.enriquecimento set {change} where etapa = 'empresa'")
            seen.add(a.value(conn, query, [roots]))
        conn.execute("update controle.enriquecimento set visto = 'x', mudada_em = now()")
        seen.add(a.value(conn, query, [roots]))
        assert len(seen) == 3


class Gazetteer:
    """A service that knows one street."""

    url = "http://here"

    def __init__(self) -> None:
        """Nothing was asked."""
        self.asked: list[str] = []

    def client(self) -> None:
        """It asks nobody."""

    def find(self, client: object, address: str, **_: object) -> tuple[float, float] | None:
        """Note the question."""
        self.asked.append(address)
        return (-28.07, -52.01) if "ACACIAS" in address else (0.0, -60.0)


def test_only_addresses_of_sure_companies_of_units_without_a_place_are_asked_once(
    case: Case, conn: psycopg.Connection
) -> None:
    """A place far from the município is none; what is kept makes the safra pending."""
    with conn.transaction(force_rollback=True):
        service = Gazetteer()
        assert geocoding.run(conn, service) == (0, 0), "every unit has its pole"
        conn.execute("delete from intel_lead.ponto_notavel where distribuidora_id = 401")
        questions, found = geocoding.run(conn, service)
        sure = a.value(
            conn,
            "select count(distinct cnpj) from intel_lead.lead_empresa where confianca = 'alta'",
        )
        assert (questions, found) == (sure, 1)
        assert len([text for text in service.asked if "ACACIAS, 77" in text]) == 1
        assert geocoding.run(conn, service) == (0, 0)
        step = "select etapa from controle.enriquecimento where etapa = 'geocodificacao'"
        assert a.value(conn, step)


# The score ----------------------------------------------------------------------------------------

SOURCES = {
    '"raw"."empresa_estabelecimento"': "estabelecimento",
    '"raw"."empresa_pessoas"': "pessoas",
    '"raw"."empresa_semelhanca"': "semelhanca",
    '"controle"."enriquecimento_da_safra"': "passo",
    '"intel_lead"."lead_bruto"': "lead",
}
UNIT = "07e80191-0000-8000-8000-000000000001"
RANK = ["none", "cnae_classe", "cnae_secundario", "cnae_principal"]


@dataclass(frozen=True)
class Evidence:
    """What speaks for one company being a unit's, each part the better the greater it is."""

    activity: int
    others: int
    same_number: bool
    street: float
    existed: bool


EVIDENCE = st.builds(
    Evidence,
    activity=st.integers(0, 3),
    others=st.integers(0, 6),
    same_number=st.booleans(),
    street=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    existed=st.booleans(),
)


@pytest.fixture(scope="module")
def score(case: Case, warehouse: a.Warehouse) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection where the registry is temporary, and lead_empresa's own SQL over it."""
    target = warehouse.project.folder / "dbt_project" / "target" / "compiled"
    (path,) = Path(target).rglob("lead_empresa.sql")
    text = path.read_text()
    with warehouse.connect() as own:
        for name, temporary in SOURCES.items():
            there = name.replace('"', "")
            own.execute(f"create temporary table {temporary} as select * from {there} limit 0")
            text = text.replace(f'"{own.info.dbname}".{name}', f"pg_temp.{temporary}")
        own.execute("create temporary table parametro as select * from seeds.parametro_empresa")
        own.execute("update parametro set valor = 0 where id = 'escore_minimo'")
        text = text.replace(f'"{own.info.dbname}"."seeds"."parametro_empresa"', "pg_temp.parametro")
        own.execute("insert into passo values ('empresa', 2024, 401, 'x', false)")
        own.execute("insert into passo values ('endereco', 2024, 401, 'x', false)")
        yield own, text


def scored(conn: psycopg.Connection, sql: str, e: Evidence) -> float:
    """The points of the company; 0 where nothing made it a candidate."""
    main, others = {
        0: ("8610101", "{}"),
        1: ("4711301", "{}"),
        2: ("8610101", "{4711302}"),
        3: ("4711302", "{}"),
    }[e.activity]
    begun = "2010-01-01" if e.existed else "2025-06-01"
    with conn.transaction(force_rollback=True):
        conn.execute(
            "insert into lead (uc_id, ano, distribuidora_id, origem, cod_id, municipio_id, cep,"
            " cnae_id, classe_consumo_id) values (%s, 2024, 401, 'UCBT', 'u', 4320909, '95000001',"
            " '4711302', 'CO1')",
            [UNIT],
        )
        conn.execute(
            "insert into estabelecimento (cnpj, cnpj_basico, entrega_id, municipio_id, situacao,"
            " data_situacao, data_inicio, cnae, cnaes_secundarios, cep, numero, razao_social,"
            " natureza_juridica) values (%s, '11111111', 1, 4320909, 2, %s, %s, %s, %s, '95000001',"
            " '7', 'X', '2062')",
            [c.cnpj("11111111"), begun, begun, main, others],
        )
        for key, text in (("cnae", "4711302"), ("cnae", "4711301"), ("numero", "7")):
            if e.others:
                conn.execute(
                    "insert into pessoas values (4320909, '95000001', %s, %s, %s)",
                    [key, text, e.others],
                )
        if e.same_number:
            conn.execute(
                "insert into semelhanca values (2024, 401, 'UCBT', 'u', %s, %s, true)",
                [c.cnpj("11111111"), e.street],
            )
        return a.value(conn, f"select coalesce(sum(escore), 0) from ({sql}) as s")


@settings(max_examples=60)
@given(one=EVIDENCE, other=EVIDENCE)
def test_more_evidence_never_scores_less(
    score: tuple[psycopg.Connection, str], one: Evidence, other: Evidence
) -> None:
    """Of two states of evidence the one that is at least as good in every part."""
    worse = Evidence(
        activity=min(one.activity, other.activity),
        others=max(one.others, other.others),
        same_number=one.same_number and other.same_number,
        street=min(one.street, other.street),
        existed=one.existed and other.existed,
    )
    conn, sql = score
    assert 0 <= scored(conn, sql, worse) <= scored(conn, sql, one) <= 100
