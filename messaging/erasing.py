"""What messaging forgets about an erased person. Suppressions stay: they keep an address from being mailed again."""

from messaging.models import CaughtMail, Hit, Message


def erase(contact_ids: list[int], addresses: list[str]) -> None:
    """Empty the addresses and bodies of the contacts' messages, and drop where and by what they were opened."""
    messages = Message.objects.filter(contact_id__in=contact_ids)
    Hit.objects.filter(message_id__in=messages.values("pk")).update(ip=None, user_agent="")
    messages.update(address="", content={})
    CaughtMail.objects.filter(recipient__in=addresses).delete()
