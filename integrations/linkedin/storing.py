"""Storing what came: a row per submission and connection, whichever way and however often it comes.

    store(connection, responses, channel)       # in the tenant's scope

A submission that has been withdrawn or erased never comes back; one that is known with the same contents stays as it
is; one with other contents is taken and waits to be processed again, which makes no second lead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from integrations.linkedin.responses import FormDocument, FormRef, Named, Response
from integrations.models import AdAccount, AdCampaign, Connection, LeadForm, LeadFormVersion, LeadSubmission
from leads.importing import staging

State = LeadSubmission.State
# What `LeadFormVersion.problem` says of a form that has not been read yet.
UNREAD = "unread"

_COLUMNS = {
    "external_id": "text",
    "account_id": "bigint",
    "campaign_id": "bigint",
    "form_id": "bigint",
    "version_id": "bigint",
    "is_test": "boolean",
    "submitted_at": "timestamptz",
    "submitter": "text",
    "answers": "jsonb",
    "hidden_fields": "jsonb",
    "consents": "jsonb",
    "faults": "jsonb",
    "digest": "text",
}


@dataclass
class Stored:
    """How many submissions were new, had other contents than before, and were known as they are (or settled)."""

    new: int = 0
    changed: int = 0
    known: int = 0


def store(connection: Connection, responses: Iterable[Response], channel: str) -> Stored:
    """Keep these; the later of two with one id counts. Three statements, and those that make forms and campaigns."""
    by_id = {response.external_id: response for response in responses}
    if not by_id:
        return Stored()
    places = _Places(connection, list(by_id.values()))
    staging.stage("given_submissions", _COLUMNS, (places.row(response) for response in by_id.values()))
    with database.cursor() as cursor:
        # Rows are taken in the order of their ids, so that two writers wait for each other instead of locking up.
        cursor.execute(
            f"""INSERT INTO integrations_leadsubmission AS here
                  (connection_id, {", ".join(_COLUMNS)}, channel, state, reason, is_contact_new, other_contacts)
                SELECT %(connection)s, {", ".join(_COLUMNS)}, %(channel)s, 'received', '', false, '{{}}'
                FROM given_submissions ORDER BY external_id
                ON CONFLICT (tenant_id, connection_id, external_id) DO UPDATE SET
                  ({", ".join(_COLUMNS)}) = ROW({", ".join(f"excluded.{name}" for name in _COLUMNS)}),
                  state = 'received', reason = '', next_attempt_at = NULL
                WHERE here.state NOT IN ('withdrawn', 'erased') AND here.digest <> excluded.digest
                RETURNING (xmax = 0) AS is_new""",
            {"connection": connection.pk, "channel": channel},
        )
        written = [is_new for (is_new,) in cursor.fetchall()]
    new = sum(written)
    return Stored(new, len(written) - new, len(by_id) - len(written))


def withdraw(connection: Connection, response_ids: Iterable[str], reason: str) -> int:
    """The members have taken these back at LinkedIn: what they entered is forgotten, for good.

    A tombstone stands for one that has not come yet. Contacts and leads stay: they are the company's own by now.
    """
    ids = sorted(set(response_ids))
    with database.cursor() as cursor:
        cursor.execute(
            """INSERT INTO integrations_leadsubmission AS here
                 (connection_id, external_id, channel, state, reason, submitted_at, submitter, is_test, answers,
                  hidden_fields, consents, faults, digest, is_contact_new, other_contacts)
               SELECT %(connection)s, given.id, 'push', 'withdrawn', %(reason)s, now(), '', false, '[]', '{}', '[]',
                      '[]', '', false, '{}'
               FROM unnest(%(ids)s::text[]) AS given (id)
               ON CONFLICT (tenant_id, connection_id, external_id) DO UPDATE SET
                 state = 'withdrawn', reason = excluded.reason, submitter = '', answers = '[]', hidden_fields = '{}',
                 consents = '[]', faults = '[]', digest = '', next_attempt_at = NULL
               WHERE here.state NOT IN ('withdrawn', 'erased')""",
            {"connection": connection.pk, "ids": ids, "reason": reason[:300]},
        )
        return cursor.rowcount


def announce(connection: Connection, announced: Iterable[tuple[str, Any]]) -> int:
    """LinkedIn says that there are these (id, moment); returns how many of them are not known yet."""
    rows = dict(announced)
    with database.cursor() as cursor:
        cursor.execute(
            """INSERT INTO integrations_leadsubmission
                 (connection_id, external_id, channel, state, reason, submitted_at, submitter, is_test, answers,
                  hidden_fields, consents, faults, digest, is_contact_new, other_contacts, next_attempt_at)
               SELECT %(connection)s, given.id, 'push', 'announced', '', given.at, '', false, '[]', '{}', '[]', '[]',
                      '', false, '{}', now()
               FROM unnest(%(ids)s::text[], %(moments)s::timestamptz[]) AS given (id, at)
               ON CONFLICT (tenant_id, connection_id, external_id) DO NOTHING""",
            {"connection": connection.pk, "ids": sorted(rows), "moments": [rows[id_] for id_ in sorted(rows)]},
        )
        return cursor.rowcount


def keep_accounts(connection: Connection, accounts: Sequence[Named]) -> None:
    """Note the ad accounts that the member may see; which of them are read stays as it was chosen."""
    AdAccount.objects.bulk_create(
        [AdAccount(connection=connection, external_id=a.external_id, name=a.name, is_test=a.is_test) for a in accounts],
        update_conflicts=True,
        unique_fields=["tenant", "connection", "external_id"],
        update_fields=["name", "is_test"],
    )


def keep_campaigns(account: AdAccount, campaigns: Sequence[Named]) -> None:
    """Note the campaigns of an ad account."""
    AdCampaign.objects.bulk_create(
        [
            AdCampaign(
                connection_id=account.connection_id,
                account=account,
                external_id=campaign.external_id,
                name=campaign.name,
                status=campaign.state,
            )
            for campaign in campaigns
        ],
        update_conflicts=True,
        unique_fields=["tenant", "connection", "external_id"],
        update_fields=["account", "name", "status"],
    )


def keep_form(connection: Connection, document: FormDocument, account: AdAccount | None = None) -> LeadFormVersion:
    """Note a form as it is; submissions that have waited for it are processed at the next occasion."""
    form, _is_new = LeadForm.objects.get_or_create(connection=connection, external_id=document.external_id)
    form.name, form.state = document.name or form.name, document.state or form.state
    form.account = account or form.account
    form.save(update_fields=["name", "state", "account"])
    version, _is_new = LeadFormVersion.objects.update_or_create(
        form=form,
        number=document.version,
        defaults={
            "questions": document.questions,
            "consents": document.consents,
            "hidden_fields": document.hidden_fields,
            "disclaimer": document.disclaimer,
            "privacy_url": document.privacy_url,
            "problem": "",
        },
    )
    waiting = LeadSubmission.objects.filter(form=form, state=State.HELD)
    waiting.filter(version=version).update(state=State.RECEIVED, reason="")
    return version


class _Places:
    """The accounts, campaigns, forms and versions that responses name, made where they are not known yet."""

    def __init__(self, connection: Connection, responses: Sequence[Response]) -> None:
        self._connection = connection
        accounts = AdAccount.objects.filter(connection=connection)
        self._accounts = {account.external_id: account for account in accounts}
        self._campaigns = self._campaigns_of(responses)
        self._forms, self._versions = self._forms_of({response.form for response in responses if response.form})

    def row(self, response: Response) -> list[Any]:
        """The submission as the staging table has it."""
        account = self._accounts.get(response.account_id)
        ref, contents = response.form, response.contents
        return [
            response.external_id,
            account.pk if account else None,
            self._campaigns.get(response.campaign_id),
            self._forms.get(ref.external_id) if ref else None,
            self._versions.get((ref.external_id, ref.version)) if ref else None,
            response.is_test or bool(account and account.is_test),
            response.submitted_at,
            response.submitter,
            *contents,
            response.digest_of(contents),
        ]

    def _campaigns_of(self, responses: Sequence[Response]) -> dict[str, int]:
        named = {response.campaign_id: response for response in responses if response.campaign_id}
        known = AdCampaign.objects.filter(connection=self._connection, external_id__in=named)
        found = dict(known.values_list("external_id", "pk"))
        missing = [
            AdCampaign(
                connection=self._connection,
                account=self._accounts.get(response.account_id),
                external_id=id_,
                name=response.campaign_name,
            )
            for id_, response in sorted(named.items())
            if id_ not in found
        ]
        if not missing:
            return found
        AdCampaign.objects.bulk_create(missing, ignore_conflicts=True)
        return dict(known.all().values_list("external_id", "pk"))

    def _forms_of(self, refs: set[FormRef]) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
        named = {ref.external_id: ref for ref in refs}
        forms = LeadForm.objects.filter(connection=self._connection, external_id__in=named)
        known = dict(forms.values_list("external_id", "pk"))
        if missing := [
            LeadForm(connection=self._connection, external_id=id_, name=named[id_].name)
            for id_ in sorted(named)
            if id_ not in known
        ]:
            LeadForm.objects.bulk_create(missing, ignore_conflicts=True)
            known = dict(forms.all().values_list("external_id", "pk"))
        return known, self._versions_of(refs, known)

    def _versions_of(self, refs: set[FormRef], forms: dict[str, int]) -> dict[tuple[str, int], int]:
        rows = LeadFormVersion.objects.filter(form__in=forms.values())
        wanted = {(forms[ref.external_id], ref.version): ref for ref in refs}
        known = {(form, number): pk for form, number, pk in rows.values_list("form", "number", "pk")}
        if missing := [
            LeadFormVersion(form_id=form, number=number, problem=UNREAD)
            for form, number in sorted(wanted)
            if (form, number) not in known
        ]:
            LeadFormVersion.objects.bulk_create(missing, ignore_conflicts=True)
            known = {(form, number): pk for form, number, pk in rows.all().values_list("form", "number", "pk")}
        return {(ref.external_id, ref.version): known[key] for key, ref in wanted.items()}
