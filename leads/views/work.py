"""The work of sales: My day, calls, activities."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Contact
from leads import activities, queries
from leads.errors import NotPossible
from leads.forms import ActivityForm, CallForm, DoneForm, ReasonForm
from leads.models import Activity, Lead
from leads.registry import strongest_reasons
from leads.views.leads import BACK
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def my_day(request: Any) -> HttpResponse:
    """Whom to call next and why, the rest of the queue, and what is due today. `?lead=` picks another one."""
    queue = queries.call_queue(request.member)
    wanted = request.GET.get("lead", "")
    current = next((lead for lead in queue if str(lead.pk) == wanted), queue[0] if queue else None)
    place = queue.index(current) if current else 0
    context: dict[str, Any] = {
        "queue": queue,
        "current": current,
        "next": queue[(place + 1) % len(queue)] if len(queue) > 1 else None,
        "due": queries.due_today(request.member),
        "now": timezone.now(),
        "ready_count": Lead.objects.filter(stage="mql", owner=None)[:100].count(),
        "done_form": DoneForm(),
    }
    if current:
        context["reasons"] = strongest_reasons(current)
        context["call_form"] = CallForm(has_lead=True, prefix="call")
        context["reason_form"] = ReasonForm()
    return render(request, "leads/my_day.html", context)


@allow(Right.WORK_LEADS)
def log_call(request: Any) -> HttpResponse:
    """Write down a call with a lead (`?lead=`) or a contact (`?contact=`); perhaps make a lead of it."""
    lead, contact = _whom(request)
    back = request.POST.get("back", request.GET.get("back", ""))
    prefix = "call" if back == "my_day" else None
    form = CallForm(request.POST or None, has_lead=lead is not None, prefix=prefix)
    context = {"form": form, "back": back, **_about(lead, contact)}
    if request.method != "POST":
        return render(request, "leads/call.html", context)
    if not form.is_valid():
        return render(request, "leads/call.html", context, status=422)
    call = activities.log_call(by=request.member, contact=contact, lead=lead, **form.values())
    text = _("The call with %(person)s is noted.") % {"person": context["person"]}
    if back in BACK:
        return done(request, text, BACK[back])
    return done(request, text, *_page_of(call))


@allow(Right.WORK_LEADS)
def plan(request: Any) -> HttpResponse:
    """Plan a task, call or appointment for a lead (`?lead=`) or a contact (`?contact=`)."""
    lead, contact = _whom(request)
    kind = request.GET.get("kind", Activity.Kind.TASK)
    form = ActivityForm(request.POST or None, initial={"owner": request.member.pk, "kind": kind})
    context = {"form": form, **_about(lead, contact)}
    if request.method != "POST":
        return render(request, "leads/plan.html", context)
    if not form.is_valid():
        return render(request, "leads/plan.html", context, status=422)
    planned = activities.create(**form.cleaned_data, lead=lead, contact=contact, by=request.member)
    return done(request, _("“%(subject)s” is planned.") % {"subject": planned.subject}, *_page_of(planned))


@allow(Right.VIEW)
def activity_list(request: Any) -> HttpResponse:
    """Planned and done activities, mine or everybody's."""
    tab = "done" if request.GET.get("tab") == "done" else "open"
    whose = "all" if request.GET.get("whose") == "all" else "mine"
    if tab == "done":
        rows, order = queries.activities().filter(done_at__isnull=False), ("-done_at", "-pk")
    else:
        rows, order = queries.open_activities(), ("due", "pk")
    if whose == "mine":
        rows = rows.filter(owner=request.member)
    context = {"page": page_of(rows, order, request.GET), "tab": tab, "whose": whose, "now": timezone.now()}
    return render(request, "leads/activities.html", context)


@allow(Right.WORK_LEADS)
def complete(request: Any, pk: int) -> HttpResponse:
    """Mark an activity done, with what came of it."""
    activity = get_object_or_404(queries.activities(), pk=pk)
    form = DoneForm(request.POST if request.method == "POST" else None)
    back = request.POST.get("back", request.GET.get("back", ""))
    if request.method != "POST":
        return render(request, "leads/complete.html", {"form": form, "activity": activity, "back": back})
    to = _page_of(activity) if back == "record" else (BACK.get(back, "leads:activities"),)
    if not form.is_valid():
        return render(request, "leads/complete.html", {"form": form, "activity": activity, "back": back}, status=422)
    try:
        activities.complete(activity, form.cleaned_data["outcome"], form.cleaned_data["notes"], request.member)
    except NotPossible as error:
        return done(request, str(error), *to, level="error")
    return done(request, _("“%(subject)s” is done.") % {"subject": activity.subject}, *to)


def _whom(request: Any) -> tuple[Lead | None, Contact | None]:
    """The lead and contact that the address names; 404 for one that is not there, neither for none."""
    lead_id, contact_id = request.GET.get("lead", ""), request.GET.get("contact", "")
    if lead_id:
        lead = get_object_or_404(queries.shown(), pk=_number(lead_id))
        return lead, lead.contact
    if contact_id:
        return None, get_object_or_404(Contact.objects.select_related("account"), pk=_number(contact_id))
    return None, None


def _about(lead: Lead | None, contact: Contact | None) -> dict[str, Any]:
    """Whom a form is about, and the page to go back to."""
    there = (
        reverse("leads:detail", args=(lead.pk,))
        if lead
        else reverse("contacts:detail", args=(contact.pk,))
        if contact
        else reverse("leads:activities")
    )
    return {"lead": lead, "contact": contact, "person": lead.person if lead else contact, "there": there}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def _page_of(activity: Activity) -> tuple[Any, ...]:
    """The page that an activity is about."""
    if activity.lead_id:
        return "leads:detail", activity.lead_id
    return ("contacts:detail", activity.contact_id) if activity.contact_id else ("leads:activities",)
