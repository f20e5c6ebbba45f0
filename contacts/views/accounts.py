"""The list of accounts, and the pages of one."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import exporting, listing, people, queries, registry, roles
from contacts.forms import AccountForm, NoteForm, RoleForm
from contacts.models import Account, Role
from contacts.resources import AccountResource
from tenants.access import Right, allow
from tenants.responses import attachment, done


@allow(Right.VIEW)
def account_list(request: Any) -> HttpResponse:
    """All accounts, narrowed and ordered by the address."""
    context = {"listing": listing.accounts(request.GET, request.member)}
    return render(request, "contacts/accounts.html#rows" if request.htmx else "contacts/accounts.html", context)


@allow(Right.EDIT_AUDIENCE, scoped=False)
def export(request: Any) -> Any:
    """The accounts of the list as a CSV file."""
    found = exporting.lines(
        request.tenant.pk, AccountResource, lambda: listing.accounts_to_export(request.GET, request.member)
    )
    return attachment("accounts.csv", found)


@allow(Right.EDIT_AUDIENCE)
def new(request: Any) -> HttpResponse:
    """A new account."""
    form = AccountForm(request.POST or None, initial={"owner": request.member})
    if request.method == "POST":
        if account := form.submit(lambda values: people.create_account(values, by=request.member)):
            return done(request, _("%(name)s has been added.") % {"name": account}, "contacts:account", account.pk)
        return render(request, "contacts/edit_account.html", {"form": form}, status=422)
    return render(request, "contacts/edit_account.html", {"form": form})


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """One account: its people and their roles, its timeline, and what the other apps know."""
    account = _account(pk)
    context = {
        "account": account,
        "own_fields": queries.own_fields("account", account.custom),
        "parts": roles.committee(account),
        "people": queries.people_of(account),
        "timeline": queries.timeline(account=account, group=request.GET.get("group"), before=request.GET.get("before")),
        "panels": registry.shown_panels(registry.account_panels, account),
        "note_form": NoteForm(),
    }
    return render(request, "contacts/account.html", context)


@allow(Right.EDIT_AUDIENCE)
def edit(request: Any, pk: int) -> HttpResponse:
    """An account's fields."""
    account = _account(pk)
    form = AccountForm(request.POST or None, record=account)
    if request.method == "POST":
        changes = form.submit(lambda values: people.update_account(account, values, by=request.member))
        if changes is not None:
            text = _("%(name)s has been changed.") if changes else _("Nothing was changed at %(name)s.")
            return done(request, text % {"name": account}, "contacts:account", account.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "contacts/edit_account.html", {"form": form, "account": account}, status=status)


@allow(Right.VIEW)
def people_of(request: Any, pk: int) -> HttpResponse:
    """Everybody at the account."""
    account = _account(pk)
    context = {"account": account, "page": queries.all_people_of(account, request.GET)}
    return render(request, "contacts/account_people.html", context)


@allow(Right.EDIT_AUDIENCE)
def give_role(request: Any, pk: int) -> HttpResponse:
    """Note a contact's part in the account's decisions."""
    account = _account(pk)
    form = RoleForm(request.POST or None, account=account, initial={"kind": request.GET.get("kind", "")})
    if request.method != "POST":
        return render(request, "contacts/role.html", {"account": account, "form": form})
    if not form.is_valid():
        return render(request, "contacts/role.html", {"account": account, "form": form}, status=422)
    role = roles.give(account, form.cleaned_data["contact"], form.cleaned_data["kind"], by=request.member)
    text = _("%(name)s: %(role)s.") % {"name": role.contact, "role": role.get_kind_display()}
    return done(request, text, "contacts:account", account.pk)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def take_role(request: Any, pk: int) -> HttpResponse:
    """A contact no longer has this part."""
    role = get_object_or_404(Role.objects.select_related("account"), pk=pk)
    roles.take(role, by=request.member)
    return done(request, _("The role has been taken off."), "contacts:account", role.account_id)


def _account(pk: int) -> Account:
    return get_object_or_404(Account.objects.select_related("owner__user"), pk=pk, is_active=True)
