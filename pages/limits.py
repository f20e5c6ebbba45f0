"""Limits of what one address may send to a public form: against floods and list bombing."""

from django.core.cache import cache
from django.http import HttpRequest

# Submissions per client address, and per e-mail address entered, within the window (seconds).
PER_CLIENT, PER_ADDRESS, WINDOW = 60, 5, 10 * 60


def is_over_limit(request: HttpRequest, tenant_id: int, email: str) -> bool:
    """Count one submission; True once the client or the entered address has sent too many."""
    counts = [(f"form-client:{tenant_id}:{request.META.get('REMOTE_ADDR', '')}", PER_CLIENT)]
    if email:
        counts.append((f"form-address:{tenant_id}:{email.strip().lower()}", PER_ADDRESS))
    over = [_count(key) > limit for key, limit in counts]  # every counter counts
    return any(over)


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW)
    try:
        return cache.incr(key)
    except ValueError:  # it expired in between
        return 1
