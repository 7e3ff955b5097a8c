"""Run by Superset's python: ``sync.py import FOLDER`` and ``sync.py export FOLDER``.

Belongs here: what only Superset's own code can do with a package: users, roles, assets. Not here:
what is in the package (bi/package.py). Says on stdout, as JSON, what it did.
"""

import json
import os
import secrets
import sys
from pathlib import Path

import yaml
from flask import g
from superset.app import create_app

ADMIN = "admin"
CHANGES = ("can_add", "can_bulk", "can_delete", "can_edit", "can_export", "can_invalidate")
CHANGES += ("can_put", "can_tag", "can_explore")
SHARED = {"Chart", "Dashboard", "Dataset", "Tag", "Theme"}
"""Of role Gamma, a reader of dashboards keeps what neither begins so nor writes what all share."""


def reads_only(permission: object) -> bool:
    """Whether a permission of Gamma's is a reader's too."""
    name, of = permission.permission.name, permission.view_menu.name
    return not (name.startswith(CHANGES) or (name == "can_write" and of in SHARED))


def admin_password(manager: object) -> str | None:
    """See that there is an administrator; the password made for one, to be shown once."""
    given = os.environ.get("INTEL_BI_SENHA")
    user = manager.find_user(username=ADMIN)
    if user is None:
        password = given or secrets.token_urlsafe(12)
        role = manager.find_role("Admin")
        manager.add_user(ADMIN, "Admin", "intel-lead", "admin@localhost", role, password=password)
        return None if given else password
    if given:
        manager.reset_password(user.id, given)
    return None


def make_roles(manager: object, session: object, distributors: dict[int, str]) -> None:
    """Roles of the audiences, and one a distributor that keeps its holders to its rows."""
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable
    from superset.models.core import Database

    gamma = manager.find_role("Gamma").permissions
    (warehouse,) = session.query(Database).filter_by(database_name="Armazém")
    access = manager.add_permission_view_menu("database_access", warehouse.perm)
    reader = manager.add_role("comercial")
    reader.permissions = [p for p in gamma if reads_only(p)] + [access]
    analyst = manager.add_role("analista")
    lab = manager.find_role("sql_lab").permissions
    analyst.permissions = [*{p.id: p for p in [*gamma, *lab, access]}.values()]
    tables = [
        t
        for t in session.query(SqlaTable).filter_by(database_id=warehouse.id)
        if any(column.column_name == "distribuidora_id" for column in t.columns)
    ]
    for code, name in distributors.items():
        title = f"só {name} ({code})"
        rule = session.query(RowLevelSecurityFilter).filter_by(name=title).one_or_none()
        rule = rule or RowLevelSecurityFilter(name=title, filter_type="Regular")
        rule.clause = f"distribuidora_id = {int(code)}"
        rule.tables, rule.roles = tables, [manager.add_role(title)]
        session.add(rule)
    session.commit()


def remove(session: object, gone: dict[str, list[str]]) -> None:
    """Delete charts and dashboards that an earlier package brought and this one has not."""
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    for kind, model in (("dashboards", Dashboard), ("charts", Slice)):
        for asset in session.query(model).filter(model.uuid.in_(gone[kind])):
            session.delete(asset)
    session.commit()


def bring_in(folder: Path) -> dict[str, object]:
    """Import a package; the same twice changes nothing."""
    from superset import db, security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand

    password = admin_password(security_manager)
    g.user = security_manager.find_user(username=ADMIN)
    contents = {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*.yaml"))
    }
    distributors = yaml.safe_load(contents.pop("distribuidoras.yaml"))
    gone = yaml.safe_load(contents.pop("gone.yaml"))
    ImportAssetsCommand(contents).run()
    remove(db.session, gone)
    make_roles(security_manager, db.session, distributors)
    return {"password": password}


def take_out(folder: Path) -> dict[str, object]:
    """Export all charts, dashboards and datasets."""
    from superset import security_manager
    from superset.commands.export.assets import ExportAssetsCommand

    g.user = security_manager.find_user(username=ADMIN)
    count = 0
    for name, content in ExportAssetsCommand().run():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")
        count += 1
    return {"files": count}


if __name__ == "__main__":
    command, place = sys.argv[1:]
    with create_app().app_context():
        done = {"import": bring_in, "export": take_out}[command](Path(place))
    print(json.dumps(done))
