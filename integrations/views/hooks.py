"""What other systems call: no session, no cookie; the address names the connection, a signature says who calls."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from integrations.linkedin import doors, inbound, push
from integrations.models import Connection, LeadInbox
from tenants.scope import tenant_scope


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def linkedin(request: HttpRequest, token: str) -> HttpResponse:
    """LinkedIn's challenge (GET, which writes nothing) and its notifications."""
    if (door := doors.read(token, doors.PUSH)) is None:
        raise Http404
    with tenant_scope(door.tenant_id, read_only=True):
        connection = Connection.objects.filter(pk=door.connection_id, system="linkedin").first()
    if connection is None:
        raise Http404
    if request.method != "POST":
        code = request.GET.get("challengeCode", "")[:200]
        return JsonResponse({"challengeCode": code, "challengeResponse": push.challenge_response(connection, code)})
    if _is_too_large(request, push.LARGEST):
        return HttpResponse(status=413)
    if not push.is_signed(connection, request.body, request.headers.get("X-LI-Signature", "")):
        return HttpResponse(status=403)
    with tenant_scope(door.tenant_id):
        push.take(connection, request.body)
    return HttpResponse()


@csrf_exempt
@require_POST
def leads(request: HttpRequest, token: str) -> HttpResponse:
    """Submissions that other systems send in, signed by Standard Webhooks."""
    if (door := doors.read(token, doors.INBOX)) is None:
        raise Http404
    with tenant_scope(door.tenant_id, read_only=True):
        inbox = LeadInbox.objects.select_related("connection").filter(connection=door.connection_id).first()
    if inbox is None:
        raise Http404
    if _is_too_large(request, inbound.LARGEST):
        return HttpResponse(status=413)
    if not inbound.is_signed(inbox, {k.lower(): v for k, v in request.headers.items()}, request.body):
        return HttpResponse(status=401)
    try:
        with tenant_scope(door.tenant_id):
            new = inbound.take(inbox, request.headers["webhook-id"], request.body)
    except inbound.Unacceptable as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"new": new}, status=202)


def _is_too_large(request: HttpRequest, most: int) -> bool:
    """By what the header says, before anything is read."""
    length = request.headers.get("Content-Length", "0")
    return not length.isdecimal() or int(length) > most
