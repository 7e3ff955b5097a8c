"""The domain tables as the seeds have them.

Not here: devices (devices.py), what leads make of them (expected.py).
"""

from pathlib import Path

import pandas as pd

PLAIN = (  # noqa: SIM905
    "area_localizacao classe_consumo distribuidora fase_conexao grupo_tensao modalidade_tarifaria"
    " municipio segmento_mercado situacao_uc subgrupo_tarifario tensao_fornecimento"
    " tipo_ponto_notavel tipo_sistema potencia_transformador"
).split()


def seed(folder: Path, name: str) -> pd.DataFrame:
    """A seed's CSV, all text, nothing for an empty cell."""
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    return frame.astype(object).where(frame != "", None)


def tables(folder: Path, *, utilities: set[int], systems: set[str]) -> dict:
    """Every domain table; what the data knew and no seed does is in the open ones, undocumented."""
    made = {name: seed(folder, f"{name}_dominio") for name in PLAIN}
    for name, columns in {"municipio": ["latitude", "longitude"], "fase_conexao": []}.items():
        for column in columns:
            made[name][column] = made[name][column].astype(float)
    known = set(made["distribuidora"]["id"])
    new = [
        {"id": str(u), "nome": f"Distribuidora {u} (não documentada)", "documentado": "false"}
        for u in sorted(utilities)
        if str(u) not in known
    ]
    made["distribuidora"] = _with(made["distribuidora"], new)
    known = set(made["tipo_sistema"]["id"])
    new = [
        {"id": s, "descricao": "não documentado", "documentado": "false"}
        for s in sorted(systems - known)
    ]
    made["tipo_sistema"] = _with(made["tipo_sistema"], new)
    made["cnae"] = _cnae(folder)
    return made


def _with(frame: pd.DataFrame, rows: list[dict]) -> pd.DataFrame:
    whole = pd.concat([frame, pd.DataFrame(rows, columns=frame.columns, dtype=object)])
    return whole.astype(object).where(whole.notna(), None).reset_index(drop=True)


def _cnae(folder: Path) -> pd.DataFrame:
    frame = seed(folder, "cnae_dominio").assign(edicao="2.3", sucessor_id=None)
    parent = dict(zip(frame["id"], frame["cnae_pai_id"], strict=True))
    earlier = seed(folder, "cnae_anterior").drop(columns="fonte")
    earlier = earlier.assign(
        nivel="subclasse", cnae_pai_id=earlier["sucessor_id"].map(parent).astype(object)
    )
    frame = _with(frame, earlier.to_dict("records"))
    segment = dict(seed(folder, "cnae_segmento").itertuples(index=False))
    divisions = frame[frame["nivel"] == "divisao"]
    section = dict(zip(divisions["id"], divisions["cnae_pai_id"], strict=True))
    of_section: dict[str, set[str]] = {}
    for division, parent in section.items():
        of_section.setdefault(parent, set()).add(segment[division])

    def place(code: str) -> tuple[str | None, str | None, str | None]:
        if code in of_section:
            shared = of_section[code]
            return code, None, next(iter(shared)) if len(shared) == 1 else None
        return section[code[:2]], code[:2], segment[code[:2]]

    placed = [place(code) for code in frame["id"]]
    for n, column in enumerate(("secao_id", "divisao_id", "segmento_mercado_id")):
        frame[column] = [p[n] for p in placed]
    return frame
