"""The walk over every table: on the list of unscoped ones, or under the policy."""

from django.db import connection

from tenants.postgres.base import POLICY
from tenants.unscoped import UNSCOPED

# Operators that Postgres may evaluate below a row-level security policy, and so use an index for.
_LEAKPROOF = "SELECT oid FROM pg_proc WHERE proleakproof"


def faults() -> list[str]:
    """Every way in which the connected database falls short of isolation, in words; empty when it holds.

    Walks all tables and partitions of the current schemas, the policies on them, the foreign keys between them, the
    operators of their indexes, and the role of the connection.
    """
    return [*_role(), *_tables(), *_references(), *_indexes()]


def _rows(query: str, params: list | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def _role() -> list[str]:
    (name, is_super, bypasses) = _rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )[0]
    if is_super or bypasses:
        return [f"role {name} is not held by row-level security: ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS"]
    return []


def _tables() -> list[str]:
    found = []
    for table, enabled, forced, policies in _rows(
        """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
                  (SELECT array_agg(concat_ws(':', p.polname, p.polcmd::text, pg_get_expr(p.polqual, p.polrelid),
                                              pg_get_expr(p.polwithcheck, p.polrelid)))
                   FROM pg_policy p WHERE p.polrelid = c.oid)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(current_schemas(false)) ORDER BY 1"""
    ):
        if table in UNSCOPED:
            continue
        expression = "(tenant_id = (current_setting('app.tenant_id'::text))::bigint)"
        if not (enabled and forced):
            found.append(f"table {table} is neither under row-level security nor in tenants/unscoped.py")
        elif policies != [f"{POLICY}:*:{expression}:{expression}"]:
            found.append(f"table {table} has other policies than {POLICY}: {policies}")
    return found


def _references() -> list[str]:
    """Foreign keys between two tenants' tables must lead over tenant_id on both sides."""
    return [
        f"foreign key {name} from {source} to {target} does not include tenant_id"
        for name, source, target in _rows(
            """SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text
               FROM pg_constraint k
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'tenant_id'
               JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attname = 'tenant_id'
               JOIN pg_class target ON target.oid = k.confrelid AND target.relrowsecurity
               JOIN pg_class source ON source.oid = k.conrelid AND source.relrowsecurity
               WHERE k.contype = 'f' AND NOT (a.attnum = ANY(k.conkey) AND b.attnum = ANY(k.confkey)) ORDER BY 1"""
        )
    ]


def _indexes() -> list[str]:
    """Indexes of protected tables: tenant_id first (but for primary keys), and only leakproof operators."""
    wrong_first = _rows(
        """SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text
           FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relrowsecurity
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
           WHERE NOT i.indisprimary AND coalesce(a.attname, '') <> 'tenant_id' ORDER BY 1"""
    )
    leaking = _rows(
        f"""SELECT i.indexrelid::regclass::text, opc.opcname
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relrowsecurity
            CROSS JOIN unnest(i.indclass::oid[]) AS used (opclass)
            JOIN pg_opclass opc ON opc.oid = used.opclass
            WHERE EXISTS (SELECT 1 FROM pg_amop o JOIN pg_operator op ON op.oid = o.amopopr
                          WHERE o.amopfamily = opc.opcfamily AND o.amoplefttype = opc.opcintype
                            AND o.amoprighttype = opc.opcintype AND o.amopstrategy <> 6
                            AND op.oprcode::oid NOT IN ({_LEAKPROOF}))
            GROUP BY 1, 2 ORDER BY 1"""
    )
    return [f"index {index} of {table} does not start with tenant_id" for index, table in wrong_first] + [
        f"index {index} uses {opclass}, whose operators are not leakproof: row-level security never uses it"
        for index, opclass in leaking
    ]
