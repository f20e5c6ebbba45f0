"""The subjects and fields that contacts and accounts bring to rules."""

from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose, Role
from segments.fields import Choices, Field, Objects, Type
from segments.models import Segment
from segments.rules.vocabulary import ANY_ACTIVITY
from segments.subjects import Any, Subject
from tenants.fields import CurrentTenant
from tenants.models import Member

ACTIVE_CONTACTS = "{t}.is_active"

SUBJECTS = (
    Subject(
        "contact",
        _("Contact"),
        table="contacts_contact",
        where=ACTIVE_CONTACTS,
        name="coalesce(nullif(trim({t}.first_name || ' ' || {t}.last_name), ''), nullif({t}.email, ''), '#' || {t}.id)",
        hint="{t}.job_title",
        one={"account": "LEFT JOIN contacts_account {j} ON {j}.id = {t}.account_id AND {j}.is_active"},
        any={"role": Any("contacts_role", "contact_id", "true")},
    ),
    Subject(
        "account",
        _("Account"),
        table="contacts_account",
        name="{t}.name",
        hint="{t}.industry",
        where="{t}.is_active",
        any={
            "contact": Any("contacts_contact", "account_id", ACTIVE_CONTACTS),
            "role": Any("contacts_role", "account_id", "true"),
        },
        people="SELECT account_id AS subject_id, id AS contact_id FROM contacts_contact WHERE is_active",
    ),
)


def members() -> Choices:
    """The tenant's members, as values of an owner field."""
    rows = Member.objects.filter(tenant=CurrentTenant()).select_related("user").order_by("user__name")
    return [(member.pk, str(member)) for member in rows]


OBJECTS = (
    Objects("segment", _("segment"), lambda: list(Segment.objects.order_by("name").values_list("pk", "name"))),
    Objects("purpose", _("purpose"), lambda: list(Purpose.objects.order_by("name").values_list("pk", "name"))),
)

_FACTS = "LEFT JOIN contacts_contactfacts {j} ON {j}.contact_id = {t}.id"

FIELDS = (
    Field("contact.job_title", _("Job title"), Type.TEXT),
    Field("contact.first_name", _("First name"), Type.TEXT),
    Field("contact.last_name", _("Last name"), Type.TEXT),
    Field("contact.email", _("E-mail"), Type.TEXT),
    Field("contact.phone", _("Phone"), Type.TEXT),
    Field("contact.country", _("Country (code)"), Type.TEXT),
    Field("contact.city", _("City"), Type.TEXT),
    Field("contact.language", _("Language (code)"), Type.TEXT),
    Field("contact.time_zone", _("Time zone"), Type.TEXT),
    Field("contact.source", _("Source"), Type.TEXT),
    Field("contact.external_id", _("External id"), Type.TEXT),
    Field("contact.linkedin_url", _("LinkedIn profile"), Type.TEXT),
    Field("contact.owner", _("Owner"), Type.LOOKUP, sql="{t}.owner_id", choices=members),
    Field(
        "contact.consent_level",
        _("Consent level (0–5)"),
        Type.NUMBER,
        changed_by=("consent.granted", "consent.refused"),
    ),
    Field("contact.do_not_email", _("Do not e-mail"), Type.BOOLEAN),
    Field("contact.do_not_bulk_email", _("Do not send bulk e-mail"), Type.BOOLEAN),
    Field("contact.do_not_phone", _("Do not phone"), Type.BOOLEAN),
    Field("contact.do_not_track", _("Do not track"), Type.BOOLEAN),
    Field("contact.created_at", _("Created"), Type.MOMENT),
    Field(
        "contact.last_activity_at",
        _("Last activity"),
        Type.MOMENT,
        sql="{j}.last_activity_at",
        join=_FACTS,
        changed_by=(ANY_ACTIVITY,),
    ),
    Field(
        "role.kind",
        _("Buying role"),
        Type.CHOICE,
        choices=lambda: Role.Kind.choices,
        changed_by=("contact.role_given", "contact.role_taken"),
    ),
    Field("account.name", _("Name"), Type.TEXT),
    Field("account.industry", _("Industry"), Type.TEXT),
    Field("account.employees", _("Employees"), Type.NUMBER),
    Field("account.country", _("Country (code)"), Type.TEXT),
    Field("account.city", _("City"), Type.TEXT),
    Field("account.domain", _("Web domain"), Type.TEXT),
    Field("account.owner", _("Owner"), Type.LOOKUP, sql="{t}.owner_id", choices=members),
    Field("account.created_at", _("Created"), Type.MOMENT),
)
