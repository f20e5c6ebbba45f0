"""Forms of contacts, accounts, consent, notes, roles and custom fields."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contacts import custom, listing, own_fields
from contacts.models import Account, Consent, Contact, Field, Purpose, Role
from tenants.forms import AddressField, Form, TimeZoneField, countries
from tenants.models import Member

Result = TypeVar("Result")


class _RecordForm(Form):
    """A form of a contact's or account's fields, the tenant's own ones included; the verb cleans and writes."""

    entity: ClassVar[str]

    def __init__(self, *args: Any, record: Model | None = None, **kwargs: Any) -> None:
        self.record = record
        super().__init__(*args, initial=kwargs.pop("initial", None) or self._initial(record), **kwargs)
        self.fields["owner"].queryset = listing.members()  # type: ignore[attr-defined]
        self.fields.update(own_fields.inputs(self.entity, record.custom if record else {}))  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the verbs of `contacts.people` take."""
        return own_fields.values(self.cleaned_data)

    def submit(self, verb: Callable[[dict[str, Any]], Result]) -> Result | None:
        """Call the verb with the values; None with errors at the fields if the form or the verb refuses them."""
        if not self.is_valid():
            return None
        try:
            with transaction.atomic():
                return verb(self.values())
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                field = own_fields.input_name(name)
                self.add_error(field if field in self.fields else None, texts)
        except IntegrityError:
            self.add_error("email", gettext("Another contact already has this e-mail address."))
        return None

    def _initial(self, record: Any) -> dict[str, Any]:
        if record is None:
            return {}
        given = {name: getattr(record, name) for name in self.base_fields if hasattr(record, name)}
        return given | own_fields.initial(record.custom)


class ContactForm(_RecordForm):
    """A contact's fields."""

    entity = Field.Entity.CONTACT
    first_name = forms.CharField(label=_("First name"), max_length=100, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    email = AddressField(label=_("E-mail"), max_length=254, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, help_text=_("With the country's prefix, or set the country.")
    )
    job_title = forms.CharField(label=_("Job title"), max_length=150, required=False)
    company = forms.CharField(
        label=_("Company"),
        max_length=200,
        required=False,
        help_text=_("An account of this name is found or created."),
        widget=forms.TextInput(attrs={"list": "companies", "autocomplete": "off"}),
    )
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    time_zone = TimeZoneField(label=_("Time zone"), blank_label=_("From the country"))
    language = forms.RegexField(
        label=_("Language"),
        regex=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        required=False,
        help_text=_("A code such as de."),
    )
    linkedin_url = forms.URLField(
        label=_("LinkedIn profile"), max_length=300, required=False, assume_scheme="https", widget=forms.URLInput
    )
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=Member.objects.none(), required=False, empty_label=_("Nobody")
    )
    do_not_email = forms.BooleanField(label=_("Do not e-mail"), required=False)
    do_not_bulk_email = forms.BooleanField(label=_("Do not send bulk e-mail"), required=False)
    do_not_phone = forms.BooleanField(label=_("Do not phone"), required=False)
    do_not_track = forms.BooleanField(label=_("Do not track"), required=False)
    widths: ClassVar[dict[str, int]] = dict.fromkeys(
        ["first_name", "last_name", "email", "phone", "job_title", "company", "city", "country", "time_zone",
         "language", "linkedin_url", "owner", "do_not_email", "do_not_bulk_email", "do_not_phone", "do_not_track"], 6
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["company"].widget.attrs |= {
            "hx-get": reverse("contacts:companies"),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": "#companies",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(name) for name in ("first_name", "last_name", "email", "phone", "linkedin_url")):
            raise ValidationError(_("Enter a name, an e-mail address, a phone number or a LinkedIn profile."))
        return cleaned

    def _initial(self, record: Contact | None) -> dict[str, Any]:
        account = record.account if record else None
        return super()._initial(record) | ({"company": account.name} if account else {})


class AccountForm(_RecordForm):
    """An account's fields."""

    entity = Field.Entity.ACCOUNT
    name = forms.CharField(label=_("Name"), max_length=200)
    domain = forms.CharField(
        label=_("Web domain"),
        max_length=253,
        required=False,
        help_text=_("Contacts with an address of this domain are put to this account."),
    )
    industry = forms.CharField(label=_("Industry"), max_length=100, required=False)
    employees = forms.IntegerField(label=_("Employees"), min_value=0, max_value=100_000_000, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=Member.objects.none(), required=False, empty_label=_("Nobody")
    )
    widths: ClassVar[dict[str, int]] = dict.fromkeys(
        ["name", "domain", "industry", "employees", "city", "country", "phone", "owner"], 6
    )


class NoteForm(Form):
    """A note on the timeline."""

    text = forms.CharField(
        label=_("Note"), max_length=5000, widget=forms.Textarea(attrs={"rows": 2, "placeholder": _("Write a note…")})
    )


class ConsentForm(Form):
    """What a contact said about a purpose, as a member enters it."""

    purpose = forms.ModelChoiceField(label=_("Purpose"), queryset=Purpose.objects.none(), empty_label=None)
    state = forms.ChoiceField(label=_("Said"), choices=Consent.State.choices, widget=forms.RadioSelect)
    basis = forms.CharField(
        label=_("How"), max_length=60, required=False, help_text=_("Such as “on the phone”; kept as proof.")
    )

    def __init__(self, *args: Any, purposes: Iterable[Purpose] | None = None, **kwargs: Any) -> None:
        """`purposes` are all of them, for a page that has them already."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["purpose"]
        field.queryset = Purpose.objects.order_by("-is_default", "name")
        if purposes is not None:
            field.choices = [(purpose.pk, str(purpose)) for purpose in purposes]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("state") == Consent.State.GRANTED and not cleaned.get("basis"):
            self.add_error("basis", _("Say how the consent was given."))
        return cleaned


class RoleForm(Form):
    """A part of a contact in her account's decisions."""

    contact = forms.ModelChoiceField(label=_("Contact"), queryset=Contact.objects.none(), empty_label=None)
    kind = forms.ChoiceField(label=_("Role"), choices=Role.Kind.choices)

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Contact.objects.filter(account=account, is_active=True).order_by("sort_key", "pk")
        self.fields["contact"].queryset = people  # type: ignore[attr-defined]


class ViewForm(Form):
    """A saved view's name, and whether colleagues see it."""

    name = forms.CharField(max_length=60)
    is_shared = forms.BooleanField(required=False)


class MergeForm(Form):
    """Two contacts: the one that stays and the one that goes into it."""

    keep = forms.ModelChoiceField(queryset=Contact.objects.none())
    other = forms.ModelChoiceField(queryset=Contact.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Contact.objects.filter(is_active=True).select_related("account", "owner__user", "facts")
        self.fields["keep"].queryset = self.fields["other"].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("keep") and cleaned.get("keep") == cleaned.get("other"):
            raise ValidationError(_("Choose two different contacts."))
        return cleaned


class PurposeForm(Form):
    """A purpose of consent, as people read it."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("What people read"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown where people choose what they get; kept with their answer."),
    )

    def submit(self, verb: Callable[[dict[str, Any]], Purpose]) -> Purpose | None:
        """Call the verb with the values; None with errors at the fields if it refuses them."""
        if not self.is_valid():
            return None
        try:
            return verb(self.cleaned_data)
        except ValidationError as error:
            self.add_error(None, error)
        return None


class ModeForm(Form):
    """What silence means for commercial e-mail."""

    IN, OUT = "in", "out"
    mode = forms.ChoiceField(
        label=_("Commercial e-mail goes to"),
        choices=[(IN, _("those who agreed (opt-in)")), (OUT, _("everybody who has not refused (opt-out)"))],
        help_text=_("Opt-in is the law in most of Europe. A refusal always counts."),
    )


class FieldForm(Form):
    """A custom field; what it is on, its key and its type stay as they were made."""

    entity = forms.ChoiceField(label=_("On"), choices=Field.Entity.choices)
    label = forms.CharField(label=_("Label"), max_length=100)
    key = forms.RegexField(
        label=_("Key"),
        regex=r"^[a-z][a-z0-9_]{0,39}$",
        help_text=_("Small letters, digits and underscores: its name in imports and personalization."),
    )
    type = forms.ChoiceField(label=_("Type"), choices=Field.Type.choices)
    options = forms.CharField(
        label=_("Choices"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One per line, for a field of the type “Choice”."),
    )
    is_sensitive = forms.BooleanField(
        label=_("Sensitive"), required=False, help_text=_("Kept out of rules, segments and personalization.")
    )
    widths: ClassVar[dict[str, int]] = {"label": 6, "key": 6, "entity": 6, "type": 6}

    def __init__(self, *args: Any, field: Field | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._type = field.type if field else ""
        if field is not None:
            for name in ("entity", "key", "type"):
                del self.fields[name]

    @classmethod
    def of(cls, field: Field, *args: Any) -> "FieldForm":
        """The form with the field's present values."""
        initial = {"label": field.label, "options": "\n".join(field.options), "is_sensitive": field.is_sensitive}
        return cls(*args, field=field, initial=initial)

    def submit(self, by: Member) -> Field | None:
        """Add the field; None with errors at the form if it is wrong or its key is taken."""
        if not self.is_valid():
            return None
        try:
            return custom.create(**self.cleaned_data, by=by)
        except ValidationError as error:
            self.add_error(None, error)
        return None

    def clean_options(self) -> list[str]:
        lines = (" ".join(line.split()) for line in self.cleaned_data["options"].splitlines())
        return list(dict.fromkeys(line[:200] for line in lines if line))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        type_ = cleaned.get("type", self._type)
        if type_ == Field.Type.CHOICE and not cleaned.get("options"):
            self.add_error("options", _("Enter at least one choice."))
        return cleaned
