"""A person's account: made once, and what she sets for herself."""

from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from tenants.models import User


class AddressTaken(ValueError):
    """Somebody has an account under this e-mail address."""


def create(email: str, name: str, password: str) -> User:
    """Make an account; raises AddressTaken. The unique address decides, so two at once make one account."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name)
    except IntegrityError as error:
        raise AddressTaken(_("There is an account with this e-mail address. Sign in first.")) from error


def sign_in(request: HttpRequest, person: User) -> None:
    """Start a session for somebody who has just proven or chosen her password."""
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")


def update_profile(person: User, *, name: str, theme: str, time_zone: str) -> None:
    """Set what a person chooses for herself; an empty zone means her company's."""
    person.name, person.theme, person.time_zone = name, theme, time_zone
    person.save(update_fields=["name", "theme", "time_zone"])


def set_theme(person: User, theme: str) -> None:
    """Light, dark, or as the system."""
    person.theme = User.Theme(theme)
    person.save(update_fields=["theme"])
