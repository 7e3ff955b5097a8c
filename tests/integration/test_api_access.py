"""Who gets into the API and who does not: logins, tokens, keys, roles, networks, quotas.

Not here: what a list answers (test_api_lists.py), hostile requests (test_api_attacks.py).
"""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from api import __main__ as commands
from api.auth import passwords, signing, users
from api.auth.users import NewUser, Role
from api.database import APP_VERSION, refuse
from loaders.errors import DatabaseFailure
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api

LEADS = "/api/v1/leads"


def renew(api: Api, token: str) -> int:
    """The status of a renewal."""
    return api.http.post("/api/v1/sessoes/renovacao", json={"token_renovacao": token}).status_code


def test_a_login_reads_and_nothing_reads_without(api: Api) -> None:
    assert api.get(LEADS, "leitor").status_code == 200
    refused = api.http.get(LEADS)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["type"] == "urn:intel-lead:problema:sem-credencial"
    assert {"detail", "remedio", "pedido"} <= refused.json().keys()


@pytest.mark.parametrize(
    "word",
    ["outra senha bem longa", "", PASSWORD[:-1], PASSWORD + "x"],
    ids=["another", "empty", "cut", "longer"],
)
def test_another_password_does_not_get_in(api: Api, word: str) -> None:
    assert api.log_in("leitor", word).status_code == 401


def test_nobody_and_somebody_are_refused_alike(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words, and the same work: a hash is verified for a name that nobody has."""
    verified = []

    class Counting(PasswordHasher):
        def verify(self, kept: str, password: str) -> bool:
            verified.append(kept.split("$")[3])
            return super().verify(kept, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    known, unknown = api.log_in("leitor", "errada errada errada"), api.log_in("ninguem", "x" * 20)
    a_key = api.log_in("parceiro", "x" * 20)
    assert len(verified) == 3
    assert len(set(verified)) == 1, "hashes of another cost"
    assert known.status_code == unknown.status_code == a_key.status_code == 401
    shown = [{**r.json(), "pedido": ""} for r in (known, unknown, a_key)]
    assert shown[0] == shown[1] == shown[2]


def test_logins_are_limited_by_name_and_address(api: Api) -> None:
    answers = [api.log_in("cansado", "x" * 20) for _ in range(6)]
    assert [r.status_code for r in answers] == [401] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert f"de novo em {answers[-1].headers['retry-after']} s" in answers[-1].json()["detail"]
    assert api.log_in("leitor", PASSWORD).status_code == 201


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(api: Api) -> None:
    first = api.log_in("leitor", PASSWORD).json()
    second = api.http.post(
        "/api/v1/sessoes/renovacao", json={"token_renovacao": first["token_renovacao"]}
    ).json()
    assert api.with_token(second["token_acesso"]).status_code == 200
    assert renew(api, first["token_renovacao"]) == 401
    assert renew(api, second["token_renovacao"]) == 401
    assert api.with_token(second["token_acesso"]).status_code == 401
    assert api.with_token(first["token_acesso"]).status_code == 401


def test_another_session_of_the_same_user_goes_on(api: Api) -> None:
    mine, thiefs = (api.log_in("leitor", PASSWORD).json() for _ in range(2))
    assert renew(api, thiefs["token_renovacao"]) == 200
    assert renew(api, thiefs["token_renovacao"]) == 401
    assert api.with_token(mine["token_acesso"]).status_code == 200


def test_after_logging_out_no_token_holds(api: Api) -> None:
    tokens = api.log_in("leitor", PASSWORD).json()
    bearer = {"Authorization": f"Bearer {tokens['token_acesso']}"}
    assert api.http.delete("/api/v1/sessoes/atual", headers=bearer).status_code == 204
    assert api.with_token(tokens["token_acesso"]).status_code == 401
    assert renew(api, tokens["token_renovacao"]) == 401


def test_a_user_who_is_stopped_is_out_at_once(api: Api) -> None:
    with api.writing() as conn:
        users.create(conn, NewUser("demitido", Role.SALES, PASSWORD))
    tokens = api.log_in("demitido", PASSWORD).json()
    assert api.with_token(tokens["token_acesso"]).status_code == 200
    assert api.delete("/api/v1/usuarios/demitido", "admin").status_code == 204
    assert api.with_token(tokens["token_acesso"]).status_code == 401
    assert renew(api, tokens["token_renovacao"]) == 401
    assert api.log_in("demitido", PASSWORD).status_code == 401


def test_a_closed_account_is_opened_again_and_what_it_had_open_stays_closed(api: Api) -> None:
    path = "/api/v1/usuarios/volta/reabertura"

    def again(role: str) -> int:
        return api.http.put(path, headers=api.bearer(role)).status_code

    with api.writing() as conn:
        users.create(conn, NewUser("volta", Role.READER, PASSWORD))
    assert again("admin") == 404
    old = api.log_in("volta", PASSWORD).json()["token_acesso"]
    assert api.delete("/api/v1/usuarios/volta", "admin").status_code == 204
    assert [again(role) for role in ("comercial", "admin", "admin")] == [403, 204, 404]
    assert api.with_token(old).status_code == 401
    assert api.log_in("volta", PASSWORD).status_code == 201


def test_a_session_ends_by_itself(api: Api, conn: psycopg.Connection) -> None:
    tokens = api.log_in("leitor", PASSWORD).json()
    conn.execute("update app.sessao set expira_em = now() where encerrada_em is null")
    assert api.with_token(tokens["token_acesso"]).status_code == 401
    assert renew(api, tokens["token_renovacao"]) == 401
    api.forget_logins()


def test_a_partner_has_a_key_a_network_and_a_quota(api: Api) -> None:
    with api.writing() as conn:
        users.create(conn, NewUser("curto", Role.PARTNER, quota=2))
        users.create(conn, NewUser("longe", Role.PARTNER, networks=(ip_network("203.0.113.0/24"),)))
        key, far = users.new_key(conn, "curto"), users.new_key(conn, "longe")
    answers = [api.with_token(key).status_code for _ in range(4)]
    assert answers == [200, 200, 429, 429]
    refused = api.with_token(far)
    assert (refused.status_code, refused.json()["detail"][:10]) == (403, "desta rede")
    with api.writing() as conn:
        assert users.stop(conn, "longe")
    assert api.with_token(far).status_code == 401
    assert api.with_token(far[:-1] + "x").status_code == 401


def test_a_partner_is_kept_to_its_routes(api: Api) -> None:
    with api.writing() as conn:
        users.create(conn, NewUser("estreito", Role.PARTNER, routes=("leads", "perdas/mensais")))
        key = users.new_key(conn, "estreito")
    allowed = ["/api/v1/leads?limite=1", "/api/v1/perdas/mensais", f"/api/v1/leads/{uuid4()}"]
    assert [api.with_token(key, path).status_code for path in allowed] == [200, 200, 404]
    others = ["/api/v1/perdas", "/api/v1/leadsx", "/api/v1/mapas", "/api/v1/municipios", "/ogc/"]
    refused = [api.with_token(key, path) for path in others]
    assert [r.status_code for r in refused] == [403, 404, 403, 403, 403]
    assert "leads, perdas/mensais" in refused[0].json()["detail"]
    assert api.with_token(key, "/api/v1/leads/../perdas").status_code == 403
    assert api.with_token(key, "/api/v1/leads/%2e%2e/perdas").status_code in (403, 404, 422)


def test_administrators_call_from_their_networks_alone(api: Api) -> None:
    api.settings.admin_networks = [ip_network("10.8.0.0/16")]
    try:
        assert api.get("/api/v1/usuarios", "admin").status_code == 403
    finally:
        api.settings.admin_networks = [ip_network("127.0.0.0/8")]
    assert api.get("/api/v1/usuarios", "admin").status_code == 200


MATRIX = {
    "/api/v1/leads": {"leitor", "comercial", "parceiro", "admin"},
    "/api/v1/perdas": {"leitor", "comercial", "parceiro", "admin"},
    "/api/v1/aicss/consumo/meses": {"leitor", "comercial", "admin"},
    "/api/v1/usuarios": {"admin"},
}


@pytest.mark.parametrize("path", MATRIX)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_reads_what_it_may(api: Api, role: Role, path: str) -> None:
    expected = 200 if role in MATRIX[path] else 403
    assert api.get(path, role).status_code == expected


# Tokens -------------------------------------------------------------------------------------------


def forged(api: Api, key: object, header: dict[str, object], **changes: object) -> str:
    """A token of a session that holds, but for what is changed."""
    tokens = api.log_in("leitor", PASSWORD).json()["token_acesso"]
    name, right = next(iter(signing.Keys(api.settings.keys).all().items()))
    claims = {**jwt.decode(tokens, right).claims, **changes}
    claims = {k: v for k, v in claims.items() if v is not None}
    whole = {"alg": "ES256", "kid": name, "typ": "at+jwt", **header}
    return jwt.encode(whole, claims, key or right, algorithms=["ES256", "HS256", "none"])


def test_a_token_made_as_ours_are_holds(api: Api) -> None:
    """What the attacks below change is what makes them fail."""
    assert api.with_token(forged(api, None, {})).status_code == 200


PAST = int((datetime.now(UTC) - timedelta(minutes=1)).timestamp())


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ({}, {"exp": PAST}),
        ({}, {"exp": None}),
        ({}, {"aud": "outra-api"}),
        ({}, {"aud": None}),
        ({}, {"iss": "outro"}),
        ({}, {"sid": str(uuid4())}),
        ({}, {"sid": "../../x"}),
        ({}, {"sid": None}),
        ({"typ": "JWT"}, {}),
        ({"kid": "../../../../dev/null"}, {}),
        ({"kid": "x' union select 'x"}, {}),
        ({"kid": None}, {}),
        ({"kid": ["x"]}, {}),
        ({"kid": ""}, {}),
        ({"jku": "http://127.0.0.1/x", "kid": "outra"}, {}),
    ],
)
def test_a_token_with_something_else_in_it_is_refused(
    api: Api, header: dict[str, object], changes: dict[str, object]
) -> None:
    right = next(iter(signing.Keys(api.settings.keys).all().values()))
    try:
        token = forged(api, right, header, **changes)
    except Exception:  # the library refuses to write it: by hand
        token = by_hand(forged(api, None, {}), header)
    assert api.with_token(token).status_code == 401


def by_hand(token: str, header: dict[str, object], signature: str | None = None) -> str:
    """A token with another header, its signature as it was or as given."""
    old, claims, mark = token.split(".")
    fields = json.loads(base64.urlsafe_b64decode(old + "=="))
    text = json.dumps({**fields, **header}).encode()
    new = base64.urlsafe_b64encode(text).decode().rstrip("=")
    return f"{new}.{claims}.{mark if signature is None else signature}"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "RS256", ""])
def test_no_algorithm_but_ours(api: Api, alg: str) -> None:
    good = forged(api, None, {})
    assert api.with_token(by_hand(good, {"alg": alg}, "")).status_code == 401
    assert api.with_token(by_hand(good, {"alg": alg})).status_code == 401


def test_our_public_key_is_no_secret_to_sign_by(api: Api) -> None:
    """Key confusion: HS256 with what everybody may know as the secret."""
    key = next(iter(signing.Keys(api.settings.keys).all().values()))
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        text = by_hand(forged(api, None, {}), {"alg": "HS256"}).rpartition(".")[0]
        mark = hmac.digest(secret, text.encode(), "sha256")
        token = f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
        assert api.with_token(token).status_code == 401


def test_another_key_of_the_same_kind_is_not_ours(api: Api) -> None:
    stranger = ECKey.generate_key("P-256", private=True)
    assert api.with_token(forged(api, stranger, {})).status_code == 401
    own = {**stranger.as_dict(private=False)}
    assert api.with_token(by_hand(forged(api, stranger, {}), {"jwk": own})).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "..", "é.é.é", "ilk_", "A" * 100_000])
def test_what_is_no_token_is_refused(api: Api, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    assert api.http.get(LEADS, headers=headers).status_code in (401, 431)


def test_after_a_rotation_the_older_key_holds_once_more(api: Api) -> None:
    tokens = api.log_in("leitor", PASSWORD).json()["token_acesso"]
    signing.rotate(api.settings.keys)
    assert api.with_token(tokens).status_code == 200
    signing.rotate(api.settings.keys)
    assert api.with_token(tokens).status_code == 401
    api.forget_logins()
    assert api.settings.keys.stat().st_mode & 0o077 == 0


# Commands and schema app --------------------------------------------------------------------------


def test_the_first_administrator_comes_by_command(api: Api, warehouse: a.Warehouse) -> None:
    def run(*words: str, stdin: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(commands.app, list(words), env=dict(warehouse.env), input=stdin)
        return done.exit_code, done.output

    assert run("usuario", "criar", "bia", "--papel", "admin", stdin="curta\n")[0] == 3
    assert run("usuario", "criar", "bia", "--papel", "admin", stdin=f"{PASSWORD}\n")[0] == 0
    assert run("usuario", "criar", "bia", stdin=f"{PASSWORD}\n")[0] == 3
    assert api.log_in("bia", PASSWORD).status_code == 201
    code, said = run("usuario", "criar", "caio", "--gerar-senha")
    assert (code, api.log_in("caio", said.split(": ")[-1].strip()).status_code) == (0, 201)
    code, said = run("usuario", "criar", "sensor", "--papel", "dispositivo")
    assert code == 3
    code, said = run("usuario", "criar", "rota", "--papel", "parceiro", "--rota", "usuarios")
    assert (code, "perdas/mensais" in said) == (2, True)
    code, said = run("usuario", "criar", "revenda", "--papel", "parceiro", "--cota", "9")
    assert api.with_token(said.split(": ")[-1].strip()).status_code == 200
    assert "bia" in run("usuario", "listar")[1]
    assert run("usuario", "encerrar", "bia")[0] == 0
    assert run("usuario", "encerrar", "bibi")[0] == 3
    assert api.log_in("bia", PASSWORD).status_code == 401
    code, said = run("usuario", "criar", "bia", stdin=f"{PASSWORD}\n")
    assert (code, "usuario reabrir bia" in said) == (3, True)
    assert run("usuario", "reabrir", "bia")[0] == 0
    assert run("usuario", "reabrir", "bia")[0] == 3
    assert api.log_in("bia", PASSWORD).status_code == 201
    run("usuario", "encerrar", "revenda")
    key = run("usuario", "reabrir", "revenda")[1].split(": ")[-1].strip()
    assert api.with_token(key).status_code == 200


def test_no_secret_is_kept_in_the_clear(api: Api, conn: psycopg.Connection) -> None:
    tokens = api.log_in("leitor", PASSWORD).json()
    for table in ("usuario", "sessao", "token_renovacao", "chave_api", "auditoria"):
        text = a.value(conn, f"select coalesce(string_agg(t::text, ' '), '') from app.{table} as t")
        assert tokens["token_renovacao"] not in text
        assert PASSWORD not in text
        assert tokens["token_acesso"] not in text
    assert a.value(conn, "select min(left(senha_hash, 10)) from app.usuario") == "$argon2id$"


def test_an_older_schema_app_is_refused(conn: psycopg.Connection) -> None:
    refuse(conn)
    with conn.transaction(force_rollback=True):
        conn.execute(f"comment on schema app is 'versão {APP_VERSION - 1}'")
        with pytest.raises(DatabaseFailure, match="make roles"):
            refuse(conn)
    with conn.transaction(force_rollback=True):
        conn.execute("comment on schema app is null")
        with pytest.raises(DatabaseFailure, match="make roles"):
            refuse(conn)


def test_schema_app_has_the_version_that_the_code_writes() -> None:
    text = (a.CLONE / "loaders" / "schema_api.sql").read_text(encoding="utf-8")
    assert f"comment on schema app is 'versão {APP_VERSION}';" in text


def test_a_file_that_holds_no_keys_is_named(tmp_path: Path) -> None:
    file = tmp_path / "chaves.json"
    file.write_text('{"keys": [{"kty": "EC"}]}')
    with pytest.raises(Exception, match=r"chaves\.json: não são chaves"):
        signing.Keys(file).all()


@pytest.fixture(autouse=True)
def fresh_limits(api: Api) -> Iterator[None]:
    """No test has another's logins counted."""
    api.reset_limits()
    yield
