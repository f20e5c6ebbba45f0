"""Forms of the company's and the person's pages."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tenants import people
from tenants.forms import AddressField, Form, TimeZoneField, countries, currencies
from tenants.models import Invitation, Member, Tenant, User

PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class _NewPassword(Form):
    """A form that chooses a password for an account that does not exist yet."""

    def new_person(self) -> User:
        """The account as it would be: what the password is compared with."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            try:
                validate_password(password, self.new_person())
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class StartForm(_NewPassword):
    """A new company; with the account of its owner unless she is signed in."""

    company = forms.CharField(label=_("Company"), max_length=200)
    time_zone = TimeZoneField(label=_("Time zone"), initial="UTC")
    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = AddressField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(label=_("Password"), max_length=128, widget=PASSWORD)

    def __init__(self, *args: Any, person: User | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signed_in = person if isinstance(person, User) else None
        if self._signed_in:
            for name in ("name", "email", "password"):
                del self.fields[name]

    def new_person(self) -> User:
        return User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))

    def person(self) -> User:
        """Who starts the company; makes the account. Raises people.AddressTaken."""
        if self._signed_in:
            return self._signed_in
        return people.create(*(self.cleaned_data[key] for key in ("email", "name", "password")))


class JoinForm(_NewPassword):
    """The account of somebody invited; the address is the invitation's."""

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(label=_("Choose a password"), max_length=128, widget=PASSWORD)

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = invitation.email

    def new_person(self) -> User:
        return User(email=self._email, name=self.cleaned_data.get("name", ""))


class InviteForm(Form):
    """Whom to invite, as what."""

    email = AddressField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices, initial=Member.Role.MARKETER)
    widths: ClassVar[dict[str, int]] = {"email": 8, "role": 4}


class MemberForm(Form):
    """A member's role, manager and presence."""

    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices)
    manager = forms.ModelChoiceField(
        label=_("Manager"),
        queryset=Member.objects.none(),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("Hears of leads that were not answered in time."),
    )
    is_away = forms.BooleanField(label=_("Away"), required=False, help_text=_("Gets no new leads while away."))

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        initial = {"role": member.role, "manager": member.manager_id, "is_away": member.is_away}
        super().__init__(*args, initial=initial, **kwargs)
        colleagues = Member.objects.filter(tenant=member.tenant, is_active=True).exclude(pk=member.pk)
        self.fields["manager"].queryset = colleagues.select_related("user")  # type: ignore[attr-defined]


class CompanyForm(Form):
    """What a company says of itself."""

    name = forms.CharField(label=_("Name"), max_length=200)
    time_zone = TimeZoneField(
        label=_("Time zone"), help_text=_("Days begin and end in it, wherever a contact has no zone of its own.")
    )
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    currency = forms.ChoiceField(label=_("Currency"), choices=currencies, help_text=_("Amounts are summed in it."))
    widths: ClassVar[dict[str, int]] = {"country": 6, "currency": 6}

    @classmethod
    def of(cls, tenant: Tenant) -> "CompanyForm":
        """The form with the company's present values."""
        return cls(initial={name: getattr(tenant, name) for name in cls.base_fields})


class PreferencesForm(Form):
    """What a person chooses for herself."""

    name = forms.CharField(label=_("Name"), max_length=200)
    theme = forms.ChoiceField(label=_("Theme"), choices=User.Theme.choices, widget=forms.RadioSelect)
    time_zone = TimeZoneField(label=_("Time zone"), blank_label=_("As my company"))
    is_away = forms.BooleanField(label=_("I am away"), required=False, help_text=_("You get no new leads while away."))


class ThemeForm(forms.Form):
    """The switch in the top bar."""

    theme = forms.ChoiceField(choices=User.Theme.choices)
