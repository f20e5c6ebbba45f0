"""How allauth behaves here: an account is made only by accepting an invitation or by starting a company."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's sign-in, sign-out and password pages; its own sign-up is closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: see `tenants.views.site.start` and `tenants.views.site.invitation`."""
        return False

    def clean_email(self, email: str) -> str:
        """Addresses are compared trimmed and in lower case."""
        return super().clean_email(email.strip().lower())

    def get_logout_redirect_url(self, request: Any) -> str:
        """Back to the sign-in page."""
        return "/accounts/login/"
