"""Choosing a colleague."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from tenants.models import Member
from tenants.scope import current_tenant_id


class MemberField(forms.ModelChoiceField):
    """One of the people who work at the scope's company."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Member.objects.none(), **kwargs)

    @staticmethod
    def here() -> QuerySet[Member]:
        """The people of the scope's company."""
        here = Member.objects.filter(tenant_id=current_tenant_id(), is_active=True)
        return here.select_related("user").order_by("user__name", "pk")

    def offer(self) -> None:
        """Fill in the choices, within the scope."""
        self.queryset = self.here()


def offer_members(form: forms.BaseForm) -> None:
    """Fill in the choices of a form's member fields."""
    for field in form.fields.values():
        if isinstance(field, MemberField):
            field.offer()
