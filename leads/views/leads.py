"""The page of a lead, its actions, and leads entered by hand."""

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import search
from contacts.models import Account, Contact
from contacts.queries import own_fields, timeline
from contacts.registry import shown_panels
from leads import actions, editing, lifecycle, queries
from leads.creation import ENTERED
from leads.forms import LeadForm
from leads.models import Lead
from leads.registry import lead_panels
from leads.stage_names import name_of
from leads.transitions import PATH
from tenants.access import Right, allow
from tenants.forms import refuse
from tenants.responses import done

# Where an action may lead back to.
BACK = {"my_day": "leads:my_day", "board": "leads:board"}


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """Who it is, where it stands and why, and everything that happened."""
    lead = get_object_or_404(queries.shown(), pk=pk)
    others = Q(contact=lead.contact_id) if lead.contact_id else Q(account=lead.account_id) & ~Q(account=None)
    of = {"contact": lead.contact_id} if lead.contact_id else {"lead": lead.pk}
    context = {
        "lead": lead,
        "path": [(name_of(stage), stage == lead.stage) for stage in PATH],
        "is_on_path": lead.stage in PATH,
        "actions": actions.offered(lead),
        "changes": lead.stage_changes.select_related("actor__user").order_by("-pk")[:50],
        "assignment": lead.assignments.order_by("-pk").first(),
        "panel": {"activities": queries.activities().filter(lead=lead).order_by("-pk")[:20], "plan": f"lead={pk}"},
        "own_fields": own_fields("lead", lead.custom),
        "opportunities": lead.opportunities.order_by("-pk"),
        "others": queries.shown().filter(others).exclude(pk=lead.pk).order_by("-pk")[:10],
        "panels": shown_panels(lead_panels, lead),
        "timeline": timeline(**of, group=request.GET.get("group"), before=request.GET.get("before")),
    }
    return render(request, "leads/detail.html", context)


@allow(Right.WORK_LEADS)
def act(request: Any, pk: int, key: str) -> HttpResponse:
    """One action on a lead: GET asks what it needs to know, POST does it."""
    lead, action = get_object_or_404(queries.shown(), pk=pk), actions.ACTIONS.get(key)
    if action is None:
        raise Http404
    initial = {"name": lead.topic, "currency": request.tenant.currency}
    form = action.form(request.POST if request.method == "POST" else None, initial=initial)
    back = request.POST.get("back", request.GET.get("back", ""))
    context = {"lead": lead, "action": action, "form": form, "back": back}
    if request.method != "POST":
        return render(request, "leads/act.html", context)
    if form.is_valid():
        try:
            return done(request, action.perform(lead, request.member, form), *_to(back, lead))
        except lifecycle.MovedMeanwhile as error:
            return done(request, str(error), *_to(back, lead), level="error")
        except lifecycle.NotPossible as error:
            refuse(form, error)
    return render(request, "leads/act.html", context, status=422)


@allow(Right.WORK_LEADS)
@require_POST
def move(request: Any, pk: int) -> HttpResponse:
    """Bring a lead to the stage it was dropped at; what asks for a reason goes to that page first."""
    lead = get_object_or_404(queries.shown(), pk=pk)
    action = actions.way_to(lead, request.POST.get("to", ""))
    if action is None:
        return done(request, _("%(person)s cannot go there.") % {"person": lead.person}, "leads:board", level="error")
    form = action.form({})
    if form.asks or not form.is_valid():
        return done(request, _("Please say a little more."), _path_of(lead, action.key), level="info")
    try:
        return done(request, action.perform(lead, request.member, form), "leads:board")
    except lifecycle.NotPossible as error:
        return done(request, str(error), "leads:board", level="error")


@allow(Right.WORK_LEADS)
def new(request: Any) -> HttpResponse:
    """Enter a lead by hand: for a known contact or account, a new person, or nobody yet."""
    contact, account = _known(request)
    form = LeadForm(request.POST or None)
    if request.method != "POST":
        return render(request, "leads/new.html", {"form": form, "contact": contact, "account": account})
    if not form.is_valid():
        return render(request, "leads/new.html", {"form": form, "contact": contact, "account": account}, status=422)
    # A contact's own fields say who it is; a second copy would have to be kept and erased as well.
    kept = {*ENTERED, "custom"} if not contact else {"description", "custom"}
    values = {name: value for name, value in form.values().items() if name in kept}
    lead = lifecycle.create_lead(
        form.cleaned_data["topic"], contact=contact, account=account, values=values, source="manual", by=request.member
    )
    return done(request, _("%(person)s is a lead now.") % {"person": lead.person}, "leads:detail", lead.pk)


@allow(Right.WORK_LEADS)
def edit(request: Any, pk: int) -> HttpResponse:
    """What is known about a lead; a contact's own fields are changed on her page."""
    lead = get_object_or_404(queries.shown(), pk=pk)
    form = LeadForm(request.POST or None, instance=Lead.objects.get(pk=pk), has_contact=lead.contact_id is not None)
    if request.method != "POST":
        return render(request, "leads/edit.html", {"form": form, "lead": lead})
    if not form.is_valid():
        return render(request, "leads/edit.html", {"form": form, "lead": lead}, status=422)
    changes = editing.update_lead(lead, form.values(), request.member)
    return done(request, _("Saved.") if changes else _("Nothing was changed."), "leads:detail", pk)


@allow(Right.VIEW)
def find(request: Any) -> HttpResponse:
    """Contacts and accounts that a new lead may be about, for `?about=`."""
    hits = search.find(request.GET.get("about", ""), kinds=("contact", "account"), limit=8)
    contacts = Contact.objects.select_related("account").in_bulk([pk for kind, pk in hits if kind == "contact"])
    accounts = Account.objects.in_bulk([pk for kind, pk in hits if kind == "account"])
    context = {"contacts": contacts.values(), "accounts": accounts.values()}
    return render(request, "leads/new.html#found", context)


def _known(request: Any) -> tuple[Contact | None, Account | None]:
    """The contact or account that `whom` names ("contact:7"), in the form or in the address."""
    kind, _colon, pk = request.POST.get("whom", request.GET.get("whom", "")).partition(":")
    if not pk.isdecimal() or len(pk) > 18:
        return None, None
    if kind == "contact":
        contact = Contact.objects.select_related("account").filter(pk=pk, is_active=True).first()
        return contact, contact.account if contact else None
    return None, Account.objects.filter(pk=pk, is_active=True).first() if kind == "account" else None


def _to(back: str, lead: Lead) -> tuple[Any, ...]:
    return (BACK[back],) if back in BACK else ("leads:detail", lead.pk)


def _path_of(lead: Lead, key: str) -> str:
    return reverse("leads:act", args=(lead.pk, key)) + "?back=board"
