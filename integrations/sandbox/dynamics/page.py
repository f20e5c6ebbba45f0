"""The page of the sales side: what Sales sees of its leads and opportunities, with buttons for what it does with them.

A newcomer has no Dynamics to look into. Here a lead that was handed over arrives, and is accepted, qualified or turned
down; the connected system then learns of it as it would from the vendor.
"""

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from integrations.sandbox.dynamics import selling
from integrations.sandbox.dynamics.errors import Refusal
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import KEY, LEAD, OPPORTUNITY, TABLES, USER
from integrations.sandbox.http import Reply, Request

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
REASONS = {code: label for code, label in LEAD.by_name["statuscode"].options.items() if code >= 4}
# What may be edited on the page.
EDITABLE = ("subject", "jobtitle", "telephone1")
MOST = 100

STYLE = Path(__file__).with_name("page.css")


def answer(organisation: Organisation, url: str, request: Request) -> Reply:
    """GET shows the page, POST does what a button says and leads back to it."""
    if request.path == "/page.css":
        return Reply(200, STYLE.read_bytes(), [("Content-Type", "text/css; charset=utf-8")])
    if request.path == "/main.aspx":
        # Where the real one has the form of a record.
        asked = dict(parse_qsl(request.query))
        return Reply(303, headers=[("Location", f"{url}/#{quote(asked.get('etn', ''))}-{quote(asked.get('id', ''))}")])
    if request.path not in ("/", "/sales"):
        return Reply.html(404, "<!DOCTYPE html><title>Not found</title><h1>Not found</h1>")
    said = ""
    if request.method == "POST":
        said = _act(organisation, dict(parse_qsl(request.body.decode())))
        if not said:
            return Reply(303, headers=[("Location", f"{url}/")])
    reply = Reply.html(400 if said else 200, _page(organisation, said))
    reply.headers += [("Content-Security-Policy", POLICY), ("Cache-Control", "no-store")]
    return reply


def _act(organisation: Organisation, form: dict[str, str]) -> str:
    """Do it; what went wrong, if something did."""
    asked: dict[str, Any] = {name: value for name, value in form.items() if value}
    if asked.get("do") == "edit":
        asked["values"] = {name: form.get(name) or None for name in EDITABLE if name in form}
    try:
        selling.act(organisation, asked)
    except Refusal as refusal:
        return refusal.message
    except (KeyError, ValueError) as error:
        return f"That did not work: {error}"
    return ""


def _page(organisation: Organisation, said: str) -> str:
    leads = sorted(organisation.rows.all(LEAD.name), key=lambda row: -row.version)
    open_, closed = (
        [row for row in leads if not row.values["statecode"]],
        [row for row in leads if row.values["statecode"]],
    )
    deals = sorted(organisation.rows.all(OPPORTUNITY.name), key=lambda row: (row.values["statecode"], -row.version))
    note = f'<p class="note" role="alert">{escape(said)}</p>' if said else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sales side · Dynamics 365 sandbox</title><link rel="stylesheet" href="page.css"></head><body>
<header><h1>Sales side <span class="dim">· sandbox of Dynamics 365 Sales</span></h1>
<p class="dim">You are in Sales now. What you do here reaches Onward with its next sync.
<a href="">Look again</a></p></header>
<main>{note}
{_list("Open leads", [_lead(organisation, row) for row in open_[:MOST]], "No open lead. Hand one to sales in Onward.")}
{_list("Opportunities", [_deal(organisation, row) for row in deals[:MOST]], "None yet: qualify a lead.")}
{_list("Closed leads", [_closed(organisation, row) for row in closed[:MOST]], "None yet.")}
</main></body></html>"""


def _list(title: str, items: list[str], empty: str) -> str:
    shown = f"<ul>{''.join(items)}</ul>" if items else f'<p class="dim">{empty}</p>'
    return f"<section><h2>{title} ({len(items)})</h2>{shown}</section>"


def _lead(organisation: Organisation, row: Row) -> str:
    reasons = "".join(f'<option value="{code}">{escape(label)}</option>' for code, label in REASONS.items())
    edits = "".join(
        f'<label>{escape(LEAD.by_name[name].label)} <input name="{name}" value="{_text(row, name)}"></label>'
        for name in EDITABLE
    )
    return f"""<li id="lead-{row.id}">{_head(organisation, row)}
<form method="post" action="sales"><input type="hidden" name="lead" value="{row.id}">
<label>As {_people(organisation, "by", row)}</label>
{'<button class="first" name="do" value="accept">Accept</button>' if row.values["statuscode"] == 1 else ""}
<button name="do" value="qualify">Qualify</button>
<label>Reason <select name="status">{reasons}</select></label>
<button name="do" value="disqualify">Disqualify</button></form>
<form method="post" action="sales"><input type="hidden" name="lead" value="{row.id}">
<label>Call about <input name="subject" value="First call"></label>
<button name="do" value="call">Log the call</button></form>
{_assigning(organisation, LEAD.name, row)}
<details><summary>Edit or delete</summary>
<form method="post" action="sales"><input type="hidden" name="table" value="lead">
<input type="hidden" name="id" value="{row.id}">{edits}<button name="do" value="edit">Save</button>
<button name="do" value="delete">Delete</button></form></details></li>"""


def _closed(organisation: Organisation, row: Row) -> str:
    return f"""<li id="lead-{row.id}">{_head(organisation, row)}<form method="post" action="sales">
<input type="hidden" name="lead" value="{row.id}"><button name="do" value="reopen">Reopen</button></form></li>"""


def _head(organisation: Organisation, row: Row) -> str:
    state = LEAD.by_name["statuscode"].options[row.values["statuscode"]]
    rating = LEAD.by_name["leadqualitycode"].options.get(row.values["leadqualitycode"], "")
    about = " · ".join(filter(None, (_text(row, "jobtitle"), _text(row, "companyname"), _text(row, "emailaddress1"))))
    score = row.values["new_marketingscore"]
    tasks = [task for task in organisation.rows.all("task") if task.values["_regardingobjectid_value"] == row.id]
    planned = "".join(f"<p>Task: {_text(task, 'subject')} ({_state(task)})</p>" for task in tasks)
    summary = f"<details><summary>Description</summary><pre>{_text(row, 'description')}</pre></details>"
    return f"""<h3>{_text(row, "subject") or "(no topic)"}</h3>
<p>{_text(row, "fullname")} <span class="dim">{about}</span></p>
<p><span class="tag">{escape(state)}</span> {f'<span class="tag">{escape(rating)}</span>' if rating else ""}
{f'<span class="tag">Score {score}</span>' if score is not None else ""}
{'<span class="tag own">from Onward</span>' if row.values[KEY] else ""}
<span class="dim">Owner: {_owner(organisation, row)}</span></p>
{planned}{summary if row.values["description"] else ""}"""


def _deal(organisation: Organisation, row: Row) -> str:
    value = row.values["actualvalue"] or row.values["estimatedvalue"]
    worth = f"{value:,.0f} · " if value is not None else ""
    buttons = ""
    if not row.values["statecode"]:
        buttons = f"""<form method="post" action="sales"><input type="hidden" name="opportunity" value="{row.id}">
<button class="first" name="do" value="win">Won</button> <button name="do" value="lose">Lost</button></form>
{_assigning(organisation, OPPORTUNITY.name, row)}"""
    return f"""<li id="opportunity-{row.id}"><h3>{_text(row, "name")}</h3>
<p>{worth}<span class="tag">{escape(_state(row))}</span>
<span class="dim">Owner: {_owner(organisation, row)}</span></p>{buttons}</li>"""


def _assigning(organisation: Organisation, table: str, row: Row) -> str:
    return f"""<form method="post" action="sales"><input type="hidden" name="table" value="{table}">
<input type="hidden" name="id" value="{row.id}"><label>Give to {_people(organisation, "to")}</label>
<button name="do" value="assign">Reassign</button></form>"""


def _people(organisation: Organisation, name: str, chosen: Row | None = None) -> str:
    """Everybody who works there; whoever owns the record first of all."""
    owner = chosen.values["_ownerid_value"] if chosen else ""
    options = "".join(
        f'<option value="{_text(user, "internalemailaddress")}"{" selected" if user.id == owner else ""}>'
        f"{_text(user, 'fullname')}</option>"
        for user in organisation.rows.all(USER.name)
        if user.values["internalemailaddress"] and not user.values["isdisabled"]
    )
    return f'<select name="{name}">{options}</select>'


def _owner(organisation: Organisation, row: Row) -> str:
    owner = organisation.rows.get(USER.name, row.values["_ownerid_value"] or "")
    return _text(owner, "fullname") if owner else "–"


def _state(row: Row) -> str:
    return TABLES[row.table].by_name["statuscode"].options[row.values["statuscode"]]


def _text(row: Row, name: str) -> str:
    return escape(str(row.values.get(name) or ""))
