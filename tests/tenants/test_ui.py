"""Components, forms and paging: what every page is built from."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django import forms
from django.http import HttpResponse, QueryDict
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone

from leads.models import Stage
from tenants.forms import Form, ModelForm
from tenants.models import Job, Member, Setting, Tenant, User
from tenants.paging import Page, count_up_to, page_of
from tenants.registry import Menu, Section, Tab, Tabs
from tenants.responses import toast
from tenants.scope import tenant_scope
from tenants.templatetags.ui import STAGE_TONES


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% icon "mail" %}', 'icons.svg#mail"'),
        ('{% icon "mail" "icon-sm" "Unread" %}', 'role="img" aria-label="Unread"'),
        ('{% avatar "Amara Okafor" %}', ">AO<"),
        ('{% avatar "amara@x.example" %}', ">AX<"),
        ('{% avatar "" %}', "></span>"),
        ('{% badge "Live" "green" %}', '<span class="badge bg-green-lt">Live</span>'),
        ('{% stage_badge "mql" "Marketing-qualified" %}', ">Marketing-qualified<"),
        ('{% score_badge 1234 "A" %}', '<span class="score">1,234</span>'),
        ("{% score_badge None %}", "No score"),
        ("{% sparkline values %}", 'points="0.0,19.0 36.0,10.0 72.0,1.0"'),
        ("{% bar 3 4 %}", "width:75%"),
        ("{% bar 9 4 %}", "width:100%"),
        ("{% bar 1 0 %}", "width:0%"),
        ("{% number 1234567 %}", "1,234,567"),
        ('{% money 123450 "EUR" %}', "€1,234.50"),
        ('{% money 5000 "JPY" %}', "¥5,000"),
        ('{% money None "EUR" %}', "–"),
        ('{% site_url "account_login" %}', "/accounts/login/"),
        ('{% card title="Facts" %}<p>x</p>{% endcard %}', '<h2 class="card-title">Facts</h2>'),
        ("{% card body=False %}<table></table>{% endcard %}", "<table></table>"),
        ('{% empty "users" "Nobody" %}Invite{% endempty %}', "Nobody"),
        ('{% page_header title="Leads" %}<a>New</a>{% endpage_header %}', "<h1>Leads</h1>"),
    ],
)
def test_components_render(source: str, expected: str) -> None:
    assert expected in render(source, values=[0, 1, 2])


def test_every_stage_has_its_tone() -> None:
    assert set(STAGE_TONES) == set(Stage.values)


def test_components_escape_what_they_are_given() -> None:
    evil = "<script>alert(1)</script>"
    sources = [
        "{% avatar evil %}",
        "{% badge evil %}",
        "{% card title=evil %}{{ evil }}{% endcard %}",
        "{% empty 'users' evil %}{{ evil }}{% endempty %}",
        "{% page_header title=evil badges=evil %}{% endpage_header %}",
        "{% trail_item 'click' moment title=evil %}{{ evil }}{% endtrail_item %}",
    ]
    for source in sources:
        assert "<script" not in render(source, evil=evil, moment=timezone.now()), source


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1, hours=2), "1 day ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(minutes=-5, seconds=-1), "in 5 min"),
        (timedelta(days=-2, seconds=-1), "in 2 days"),
    ],
)
def test_moments_are_told_by_distance(span: timedelta, told: str) -> None:
    assert f">{told}</time>" in render("{{ moment|ago }}", moment=timezone.now() - span)


def test_the_exact_moment_is_in_the_viewers_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        shown = render("{{ moment|ago }}", moment=datetime(2020, 1, 1, 20, 0, tzinfo=UTC))
    assert 'datetime="2020-01-01T20:00:00+00:00"' in shown
    assert ">2 Jan 2020<" in shown
    assert render("{{ moment|ago }}", moment=None) == "–"


class Sample(Form):
    name = forms.CharField(label="Name", help_text="As on the card")
    day = forms.DateField(required=False)
    at = forms.DateTimeField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect, required=False)
    agreed = forms.BooleanField(label="Agreed", required=False)
    widths: ClassVar[dict[str, int]] = {"name": 6}


def test_a_form_has_labels_help_and_native_inputs() -> None:
    html = str(Sample())
    assert '<label class="form-label required" for="id_name">Name</label>' in html
    assert 'aria-describedby="id_name_helptext"' in html
    assert 'class="form-control"' in html
    assert 'type="date"' in html
    assert 'type="datetime-local"' in html
    assert 'class="col-sm-6"' in html
    assert "<legend" in html
    assert html.count('class="form-check-input"') == 3
    assert "data-form-errors" not in html


def test_a_forms_errors_are_listed_and_stand_at_their_fields() -> None:
    html = str(Sample({"day": "soon"}))
    assert "Please look at 2 things again" in html
    assert '<a href="#id_day">' in html
    assert re.search(r'name="day"[^>]*class="form-control is-invalid"', html)
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_a_moment_is_entered_in_the_viewers_zone() -> None:
    with timezone.override("Europe/Berlin"):
        form = Sample({"name": "x", "at": "2026-07-01T10:00"})
        assert form.is_valid(), form.errors
        assert form.cleaned_data["at"] == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
        assert "Time zone: CEST" in str(form) or "Time zone: Europe/Berlin" in str(form)
        again = Sample(initial={"name": "x", "at": datetime(2026, 7, 1, 8, 0, tzinfo=UTC)})
        assert 'value="2026-07-01T10:00"' in str(again)


class SettingForm(ModelForm):
    class Meta:
        model = Setting
        fields = ["key", "value"]


def test_a_model_form_checks_uniqueness_within_the_tenant(acme: Tenant, rival: Tenant) -> None:
    with tenant_scope(rival):
        Setting.objects.create(key="colour", value="red")
    with tenant_scope(acme):
        first = SettingForm({"key": "colour", "value": '"blue"'})
        assert first.is_valid(), first.errors
        saved = first.save()
        assert not SettingForm({"key": "colour", "value": '"green"'}).is_valid()
        assert SettingForm({"key": "colour", "value": '"green"'}, instance=saved).is_valid()


@pytest.fixture
def jobs(acme: Tenant) -> list[int]:
    """Seven jobs; three of them of the same moment, finer than a millisecond."""
    now = timezone.now().replace(microsecond=123456)
    with tenant_scope(acme):
        made = [Job.objects.create(kind="x", title=str(n)) for n in range(7)]
        for n, job in enumerate(made):
            Job.objects.filter(pk=job.pk).update(created_at=now - timedelta(minutes=0 if n < 3 else n))
    return [job.pk for job in made]


def walk(direction: str, params: str, order: tuple[str, ...]) -> list[list[int]]:
    """The pages from an address on, in one direction."""
    pages = []
    while True:
        page: Page[Job] = page_of(Job.objects.all(), order, QueryDict(params), size=3)
        pages.append([job.pk for job in page.rows])
        mark = getattr(page, direction)
        if not mark:
            return pages
        params = f"{direction}={mark}"


@pytest.mark.parametrize(
    "order", [("-created_at", "-pk"), ("created_at", "pk"), ("-created_at", "pk"), ("title", "pk")]
)
def test_paging_shows_every_row_once_there_and_back(order: tuple[str, ...], jobs: list[int], acme: Tenant) -> None:
    with tenant_scope(acme):
        there = walk("after", "", order)
        assert [len(page) for page in there] == [3, 3, 1]
        assert [pk for page in there for pk in page] == list(Job.objects.order_by(*order).values_list("pk", flat=True))
        second = page_of(Job.objects.all(), order, {}, size=3)
        third = page_of(Job.objects.all(), order, {"after": second.after}, size=3)
        last = page_of(Job.objects.all(), order, {"after": third.after}, size=3)
        back = page_of(Job.objects.all(), order, {"before": last.before}, size=3)
        assert [job.pk for job in back.rows] == there[1]
        first = page_of(Job.objects.all(), order, {"before": back.before}, size=3)
        assert [job.pk for job in first.rows] == there[0]
        assert first.before == ""
        assert first.after


@pytest.mark.parametrize("mark", ["x", "!!", "W10", "WyJ4Iiwx", "WyJ4IiwieSJd", "WzEsIDJd", "x" * 9999])
def test_a_tampered_mark_gives_the_first_page(mark: str, jobs: list[int], acme: Tenant) -> None:
    with tenant_scope(acme):
        page = page_of(Job.objects.all(), ("-created_at", "-pk"), {"after": mark}, size=3)
        assert [job.pk for job in page.rows] == jobs[2::-1]


def test_the_pager_keeps_the_rest_of_the_address() -> None:
    request = RequestFactory().get("/leads/?stage=mql&after=old")
    pager = Template("{% pager page %}")
    html = pager.render(RequestContext(request, {"page": Page([], after="new", before="one")}))
    assert 'href="?stage=mql&amp;after=new"' in html
    assert 'href="?stage=mql&amp;before=one"' in html
    assert pager.render(RequestContext(request, {"page": Page([])})).strip() == ""


def test_counting_stops_at_the_bound(jobs: list[int], acme: Tenant) -> None:
    with tenant_scope(acme):
        assert count_up_to(Job.objects.all(), 7) == (7, True)
        assert count_up_to(Job.objects.all(), 6) == (6, False)


def test_the_menu_keeps_sections_and_order() -> None:
    menu = Menu()
    menu.add("sales", "Leads", "leads:list", "target-arrow", "view", 10)  # type: ignore[arg-type]
    menu.add("audience", "Segments", "segments:list", "filter", "view", 30)  # type: ignore[arg-type]
    menu.add("audience", "Contacts", "contacts:list", "users", "view", 10)  # type: ignore[arg-type]
    assert [(item.section, item.label) for item in menu] == [
        (Section.AUDIENCE, "Contacts"),
        (Section.AUDIENCE, "Segments"),
        (Section.SALES, "Leads"),
    ]
    with pytest.raises(ValueError):
        menu.add("nowhere", "X", "x:y", "x", "view")  # type: ignore[arg-type]


def test_tabs_may_hide_themselves() -> None:
    tabs = Tabs()
    tabs.add("contact", Tab("emails", "E-mails", "x:y", order=20))
    tabs.add("contact", Tab("about", "About", "x:z", order=10))
    tabs.add("contact", Tab("secret", "Secret", "x:s", is_shown=lambda record: record == "shown"))
    assert [tab.key for tab in tabs.of("contact", "hidden")] == ["about", "emails"]
    assert [tab.key for tab in tabs.of("contact", "shown")] == ["about", "emails", "secret"]
    assert tabs.of("lead", None) == []


def test_a_toast_travels_in_a_header() -> None:
    answer = toast(HttpResponse(), "Gespeichert: 5 €", undo="/t/acme/undo/1/")
    assert answer.headers["HX-Trigger"].isascii()
    assert '"undo": "/t/acme/undo/1/"' in answer.headers["HX-Trigger"]


def test_people_are_shown_by_name_else_by_address(acme: Tenant) -> None:
    user = User.objects.create_user("x@acme.example", "secret-x")
    member = Member.objects.create(tenant=acme, user=user, role=Member.Role.ANALYST)
    assert str(member) == "x@acme.example"
