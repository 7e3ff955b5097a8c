"""What the documentation says exists: links, tables, commands, terms.

Not here: whether tables and columns are described (test_manifest_laws.py).
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_pipeline import docs_site
from loaders.bdgd.layers import RAW_TABLES

CLONE = Path(__file__).resolve().parent.parent.parent
PAGES = [*sorted(CLONE.glob("*.md")), *sorted((CLONE / "docs").rglob("*.md"))]
OVERVIEW = CLONE / "dbt_project" / "models" / "_visao_geral.md"
QUERIES = sorted((CLONE / "docs" / "queries").glob("*.sql"))

DOC_04 = [
    "UC",
    "PAC",
    "DIC",
    "FIC",
    "CNAE",
    "Ponto Notável",
    "Camada",
    "BDGD",
    "SIG-R",
    "CCEE",
    "ANEEL",
]
"""The terms that requirement DOC-04 names."""
NO_TABLES = {"intel_lead.publicacao", "intel_lead.dominio_aberto"}
"""A lock and a setting that are spelled as tables are."""
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("hub", "getdbt", "com"),
    )
]
"""Package registries; in parts, because this file is searched too."""


def code_of(page: Path) -> list[str]:
    """The inline code and the indented blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4}(.+)$", text, re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """The anchors that a git host makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Path and anchor of each link to this repository."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield path, anchor


def relations() -> dict[str, set[str]]:
    """Schema → its tables and views, from the files that make them."""
    models = {path.stem: path for path in (CLONE / "dbt_project" / "models").rglob("*.sql")}
    found: dict[str, set[str]] = {"raw": {layer.table for layer in RAW_TABLES}}
    for name, path in models.items():
        schema = "marts" if "marts" in path.parts else "intel_lead"
        found.setdefault(schema, set()).add(name.removeprefix("leitor_"))
    ddl = [
        *(CLONE / "loaders").rglob("schema.sql"),
        *(CLONE / "loaders").glob("schema_*.sql"),
        *(CLONE / "macros").glob("*.sql"),
    ]
    made = r"create (?:table|type|or replace (?:function|view))(?: if not exists)? (\w+)\.(\w+)"
    for path in ddl:
        text = path.read_text(encoding="utf-8")
        # The one macro that makes the same functions in both.
        texts = [text.replace("{{ esquema }}", schema) for schema in ("intel_lead", "marts")]
        for schema, name in re.findall(made, "\n".join(texts)):
            found.setdefault(schema, set()).add(name)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(CLONE)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for path, anchor in links(page):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", [*PAGES, OVERVIEW], ids=lambda p: p.name)
def test_tables_named_exist(page: Path) -> None:
    known = relations()
    names = set().union(*known.values())
    text = "\n".join(code_of(page))
    qualified = re.findall(r"\b(raw|intel_lead|marts|controle|app)\.(\w+)(?![\w*])", text)
    wrong = {f"{schema}.{name}" for schema, name in qualified if name not in known[schema]}
    wrong |= set(re.findall(r"\b(?:vw|resumo|lead|stg)_\w*[a-z]\b", text)) - names
    assert wrong - NO_TABLES == set()


def test_overview_links_to_models() -> None:
    models = {path.stem for path in (CLONE / "dbt_project" / "models").rglob("*.sql")}
    linked = re.findall(r"#!/model/model\.intel_lead\.(\w+)", OVERVIEW.read_text(encoding="utf-8"))
    assert linked
    assert set(linked) - models == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_make_targets_named_exist(page: Path) -> None:
    makefile = (CLONE / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", "\n".join(code_of(page)))
    assert set(named) - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_loader_options_named_exist(page: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (CLONE / "loaders").rglob("*.py"))
    calls = [
        code
        for code in code_of(page)
        if re.search(r"\b(?:bdgd|aicss|sintetico|liberar) .*--", code)
    ]
    options = {name for call in calls for name in re.findall(r"--([a-z-]+)", call)}
    parameters = {
        name.replace("_", "-") for name in re.findall(r"^    (\w+): ", source, re.MULTILINE)
    } | set(re.findall(r'"--([a-z-]+)', source))
    assert options - parameters == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda p: p.stem)
def test_queries_read_what_exists(query: Path) -> None:
    """One without a schema is in both: each role finds its own."""
    text = query.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    read = re.findall(r"\b(?:from|join)\s+(?!lateral)(\w+)(?:\.(\w+))?", code, re.IGNORECASE)
    assert read
    known = relations()
    both = known["intel_lead"] & known["marts"]
    assert [r for r in read if (r[1] not in known[r[0]] if r[1] else r[0] not in both)] == []


@pytest.mark.parametrize("term", DOC_04)
def test_glossary_has(term: str) -> None:
    text = (CLONE / "docs" / "glossary.md").read_text(encoding="utf-8")
    entries = "\n".join(re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.MULTILINE))
    assert re.search(rf"\b{term}\b", entries)


def test_no_file_names_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CLONE,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    files = [path for name in listed if name and (path := CLONE / name.decode()).is_file()]
    pattern = re.compile("|".join(map(re.escape, HOSTS)).encode())
    assert [str(path) for path in files if pattern.search(path.read_bytes())] == []


EMPTY = '<script>var n={manifest:"MANIFEST.JSON INLINE DATA",catalog:"CATALOG.JSON INLINE DATA"}'


@pytest.mark.parametrize(("counts_users", "kept"), [(False, True), (True, False), (None, False)])
def test_a_dictionary_that_would_ask_the_network_is_refused(
    tmp_path: Path, counts_users: bool | None, kept: bool
) -> None:
    manifest = {"metadata": {"send_anonymous_usage_stats": counts_users}, "text": "</script>"}
    page = tmp_path / "index.html"
    if kept:
        docs_site.publish(manifest, {"nodes": {}}, EMPTY, page)
        assert page.read_text().count("</script>") == 0
        assert '"nodes"' in page.read_text()
    else:
        with pytest.raises(docs_site.DocsError, match="send_anonymous_usage_stats"):
            docs_site.publish(manifest, {}, EMPTY, page)
    assert page.exists() == kept


def test_the_dictionary_holds_the_docs_of_analysts_without_links_that_lead_nowhere() -> None:
    nodes = {"docs": {"doc.intel_lead.__overview__": {"package_name": "intel_lead"}}}
    docs_site.add_pages(nodes, CLONE / "docs")
    page = nodes["docs"]["doc.intel_lead.__intel_lead__"]
    assert page["package_name"] == "intel_lead"
    for title in ("# Glossário", "# Ferramentas de BI", "# Onde os documentos"):
        assert title in page["block_contents"]
    links = re.findall(r"\]\(([^)]*)\)", page["block_contents"])
    assert [link for link in links if not link.startswith(("http", "#!"))] == []
