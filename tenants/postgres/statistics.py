"""What the planner knows of how many rows a tenant has.

Statistics name the tenants that have many rows in a table. Of one that has come to have them since, the planner
believes that it has next to none: then any index that begins with the tenant looks as good as the right one, and each
look-up may read all of the tenant's rows. Autovacuum looks at a table again only when it as a whole has changed enough.
"""

import json
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from psycopg import sql

from tenants.scope import tenant_scope

# A table is looked at anew if the planner believes that the tenant has fewer rows than `FEW` while it has `MANY`; once
# more, since looking takes samples that may have none of its rows, when it has `AGAIN` times as many.
FEW, MANY, AGAIN = 100, 500, 4


def believed_count(rows: QuerySet[Any]) -> int:
    """How many rows the planner believes there are, in the scope."""
    return int(json.loads(rows.order_by().explain(format="json"))[0]["Plan"]["Plan Rows"])


class Statistics:
    """What the planner knows of a tenant in tables that a piece of work fills, or looks very many rows up from."""

    def __init__(self, tenant_id: int, *models: type[Model]) -> None:
        self._tenant_id = tenant_id
        # Tables in which the tenant may be unknown, and of how many of its rows they are looked at anew.
        self._doubtful = dict.fromkeys(models, MANY)

    def keep_up(self) -> None:
        """Let the planner look anew at tables in which the tenant has many rows without its knowing.

        Called before each transaction of the work, outside any scope: a transaction would keep the tables from being
        vacuumed until it ends. Costs a millisecond if there is nothing to do. Tables at which somebody looks already
        are passed over, and so are those that the role does not own.
        """
        if not self._doubtful:
            return
        with tenant_scope(self._tenant_id, read_only=True):
            # Reads no more rows than the bound, by whatever plan.
            grown = [m for m, bound in self._doubtful.items() if _all(m)[bound - 1 : bound].exists()]
            unknown = [model for model in grown if believed_count(_all(model)) < FEW]
        for model in grown:
            if model not in unknown:
                del self._doubtful[model]
        with connection.cursor() as cursor:
            for model in unknown:
                cursor.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(sql.Identifier(model._meta.db_table)))
                self._doubtful[model] *= AGAIN


def _all(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.order_by()
