"""Forms about Dynamics: the environment, mappings of fields, who is who."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contacts.targets import Target
from integrations.crm import ours
from integrations.crm.columns import Column
from integrations.crm.erasing import WAYS
from integrations.dynamics import fitting
from integrations.dynamics.tables import KEY_COLUMN
from integrations.forms.webhooks import guarded
from integrations.models import Connection, FieldMapping, SalesUser
from leads.models.stages import SOURCES
from tenants.forms import Form
from tenants.models import Member

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
COLUMN = re.compile(r"[a-z][a-z0-9]*_[a-z0-9_]+")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
PLAIN = {"autocomplete": "off", "spellcheck": "false"}
# Values that are asked for at most, side by side.
MOST = 200
# Empty lines for values that nobody has listed yet.
SPARE = 4


class EnvironmentForm(Form):
    """Where the environment is, and what the app registration is known by."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What the connection is called here."))
    environment_url = forms.CharField(
        label=_("Environment URL"),
        max_length=300,
        widget=forms.URLInput({**PLAIN, "placeholder": "https://contoso.crm4.dynamics.com"}),
        help_text=_("The address that Dynamics has in your browser, up to “.dynamics.com”."),
    )
    tenant_id = forms.CharField(
        label=_("Directory (tenant) ID"),
        max_length=100,
        widget=forms.TextInput(PLAIN),
        help_text=_("On the overview page of the app registration in Microsoft Entra."),
    )
    client_id = forms.CharField(
        label=_("Application (client) ID"),
        max_length=100,
        widget=forms.TextInput(PLAIN),
        help_text=_("On the same page."),
    )
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=300,
        strip=True,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("Its value, not its ID. It is kept encrypted and never shown again."),
    )
    key_column = forms.CharField(
        label=_("Column with Onward's key"),
        max_length=100,
        initial=KEY_COLUMN,
        widget=forms.TextInput(PLAIN),
        help_text=_("The logical name of the text column on leads, contacts and accounts that has an alternate key."),
    )

    def __init__(self, *args: Any, connection: Connection | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if connection is not None:
            self.fields["client_secret"].required = False
            self.fields["client_secret"].help_text = _("Leave it empty to keep the one that is there.")

    def clean_environment_url(self) -> str:
        """The environment's origin, which the guard lets pass."""
        text = self.cleaned_data["environment_url"].strip()
        self.cleaned_data["environment_url"] = text if "://" in text else f"https://{text}"
        address = guarded(self, "environment_url")
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}" if address else ""

    def clean_tenant_id(self) -> str:
        text = self.cleaned_data["tenant_id"].strip()
        if not GUID.fullmatch(text) and not DOMAIN.fullmatch(text):
            raise forms.ValidationError(_now("This is neither an ID such as 8e2d…-…, nor a domain of the directory."))
        return text.lower()

    def clean_key_column(self) -> str:
        text = self.cleaned_data["key_column"].strip().lower()
        if not COLUMN.fullmatch(text):
            raise forms.ValidationError(_now("A logical name is a prefix, an underscore and a name: new_crmkey."))
        return text

    def clean_client_id(self) -> str:
        text = self.cleaned_data["client_id"].strip()
        if not GUID.fullmatch(text):
            raise forms.ValidationError(_now("This is no ID such as 8e2d…-…: copy it from the app registration."))
        return text.lower()


class MappingForm(Form):
    """One of our fields, one of their columns, and who decides."""

    field = forms.ChoiceField(label=_("Field in Onward"))
    remote = forms.ChoiceField(label=_("Column in Dynamics"))
    owner = forms.ChoiceField(
        label=_("Who decides where both differ"),
        choices=FieldMapping.Owner.choices,
        initial=FieldMapping.Owner.NEWEST,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, targets: Mapping[str, Target], columns: Mapping[str, Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._targets, self._columns = targets, columns
        self.fields["field"].choices = [("", "–"), *((key, target.label) for key, target in targets.items())]  # type: ignore[attr-defined]
        self.fields["remote"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((name, f"{column.label} ({name}): {fitting.in_words(column)}") for name, column in columns.items()),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target, column = self._targets.get(cleaned.get("field", "")), self._columns.get(cleaned.get("remote", ""))
        if target is None or column is None:
            return cleaned
        # Which choices stand for each other is asked on the next page.
        if not column.options and (problem := fitting.problem(target, column, {})):
            self.add_error("remote", problem)
        if not ours.may_take(target.key) and cleaned.get("owner") != FieldMapping.Owner.MARKETING:
            self.add_error("owner", _now("Onward works this field out itself: marketing decides."))
        return cleaned


class DetailForm(Form):
    """Who decides about a mapping, and which of their choices stands for which of our values."""

    owner = forms.ChoiceField(
        label=_("Who decides where both differ"), choices=FieldMapping.Owner.choices, widget=forms.RadioSelect
    )

    widths: ClassVar = {f"{side}_{number}": 6 for side in ("ours", "theirs") for number in range(MOST + SPARE)}

    def __init__(self, *args: Any, row: FieldMapping, target: Target, column: Column, **kwargs: Any) -> None:
        super().__init__(*args, initial={"owner": row.owner}, **kwargs)
        self._target, self._column = target, column
        self._known = fitting.known_values(target)
        if column.options:
            self._ask_for_choices(row.options)

    def _ask_for_choices(self, kept: Mapping[str, Any]) -> None:
        known = dict(self._known)
        values = (list(known) or list(kept))[:MOST]
        choices = [("", "–"), *((str(value), label) for value, label in self._column.options)]
        for number, value in enumerate([*values, *([] if known else [""] * SPARE)]):
            if not known:
                self.fields[f"ours_{number}"] = forms.CharField(
                    label=_now("Our value %(n)d") % {"n": number + 1}, max_length=200, required=False, initial=value
                )
            label = known.get(value) or _now("Choice %(n)d of Dynamics") % {"n": number + 1}
            self.fields[f"theirs_{number}"] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=str(kept.get(value, ""))
            )
        self._values = values

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not ours.may_take(self._target.key) and cleaned.get("owner") != FieldMapping.Owner.MARKETING:
            self.add_error("owner", _now("Onward works this field out itself: marketing decides."))
        for name in [name for name in self.fields if name.startswith("ours_")]:
            theirs = name.replace("ours", "theirs")
            if bool(cleaned.get(name)) != bool(cleaned.get(theirs)):
                self.add_error(name if not cleaned.get(name) else theirs, _now("Fill in both, or neither."))
        return cleaned

    @property
    def options(self) -> dict[str, Any]:
        """{our value: theirs}, as chosen."""
        theirs = {str(value): value for value, _label in self._column.options}
        found = {}
        for name in [name for name in self.fields if name.startswith("theirs_")]:
            number = int(name.partition("_")[2])
            mine = self.cleaned_data.get(f"ours_{number}") if not self._known else self._values[number]
            if mine and self.cleaned_data.get(name):
                found[str(mine)] = theirs[self.cleaned_data[name]]
        return found


class RulesForm(Form):
    """How leads are handed over, and what counts as what when they come back."""

    default_owner = forms.ChoiceField(
        label=_("Leads of somebody without a user there go to"),
        required=False,
        help_text=_("Otherwise to the user of the connection, from which Sales assigns them."),
    )
    follow_up_days = forms.IntegerField(
        label=_("Days for the follow-up task"),
        min_value=0,
        max_value=90,
        required=False,
        help_text=_("Each lead comes with a task that is due so many days later. Empty: without a task."),
    )
    summary_column = forms.ChoiceField(
        label=_("The summary for Sales goes to"),
        required=False,
        help_text=_("Source, score, last interactions and consent. What Sales writes around it in that column stays."),
    )
    handoff_sources = forms.MultipleChoiceField(
        label=_("Hand over at once every new lead whose source is"),
        choices=lambda: [(key, label) for key, label in SOURCES.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("The others go when they are handed to sales: by a journey, by their score, by hand."),
    )
    accepted_statuses = forms.CharField(
        label=_("Status reasons of an open lead that mean “accepted”"),
        max_length=200,
        help_text=_("Their numbers in Dynamics, with commas between; 2 is “Contacted”."),
    )
    recycle_reasons = forms.CharField(
        label=_("Reasons of disqualifying that give a lead back to marketing"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("One per line, as Dynamics shows them, such as “No Longer Interested”. With others it is over."),
    )
    on_erasure = forms.ChoiceField(
        label=_("When a contact is erased here"), choices=lambda: list(WAYS.items()), widget=forms.RadioSelect
    )
    pull_minutes = forms.IntegerField(label=_("Minutes between two reads"), min_value=1, max_value=1_440)
    widths: ClassVar = {"follow_up_days": 6, "pull_minutes": 6}

    def __init__(
        self, *args: Any, users: Sequence[SalesUser], columns: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "–"), *((user.external_id, user.name) for user in users)]
        self.fields["default_owner"].choices = choices  # type: ignore[attr-defined]
        self.fields["summary_column"].choices = columns  # type: ignore[attr-defined]

    def clean_summary_column(self) -> str:
        return self.cleaned_data["summary_column"] or self.initial["summary_column"]

    def clean_accepted_statuses(self) -> list[int]:
        parts = self.cleaned_data["accepted_statuses"].replace(",", " ").split()
        if not parts or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            raise forms.ValidationError(_now("Enter numbers, with commas between."))
        return [int(part) for part in parts]

    def clean_recycle_reasons(self) -> list[str]:
        lines = (line.strip() for line in self.cleaned_data["recycle_reasons"].splitlines())
        return [line for line in lines if line]


class MembersForm(Form):
    """Who each of our members is in Dynamics."""

    def __init__(self, *args: Any, members: Sequence[Member], users: Sequence[SalesUser], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._members = members
        self._names = {str(user.pk): user.name for user in users}
        choices = [
            ("", "–"),
            *((str(user.pk), f"{user.name} · {user.email}" if user.email else user.name) for user in users),
        ]
        of = {user.member_id: str(user.pk) for user in users if user.member_id}
        for member in members:
            self.fields[f"member_{member.pk}"] = forms.ChoiceField(
                label=str(member), choices=choices, required=False, initial=of.get(member.pk, ""),
                help_text=member.get_role_display(),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen: dict[str, str] = {}
        for member in self._members:
            name = f"member_{member.pk}"
            user = cleaned.get(name) or ""
            if user and user in seen:
                words = {"user": self._names[user], "member": seen[user]}
                self.add_error(name, _now("%(user)s is chosen for %(member)s already.") % words)
            seen.setdefault(user, str(member))
        return cleaned

    @property
    def chosen(self) -> dict[int, int | None]:
        """{member's id: sales user's id or None}."""
        return {
            member.pk: int(user) if (user := self.cleaned_data.get(f"member_{member.pk}")) else None
            for member in self._members
        }
