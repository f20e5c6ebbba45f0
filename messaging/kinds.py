"""What the timeline says about e-mails. `object_id` is the e-mail, `link_id` the link, `message_id` the message."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind, register

GROUP = "email"
_NAMES = {"email": _("E-mail")}


def declare() -> None:
    """Declare messaging's kinds; called once, by the app's `ready()`."""
    register(
        _kind("email.sent", _("E-mail sent"), "send", _("was sent {email}")),
        _kind("email.blocked", _("E-mail blocked"), "mail-off", _("was not sent {email}: {reason}"), reason=True),
        _kind("email.failed", _("E-mail failed"), "alert-circle", _("was not sent {email}: {reason}"), reason=True),
        _kind("email.hard_bounced", _("Hard bounce"), "mail-off", _("cannot be reached by {email}"), reason=True),
        _kind("email.soft_bounced", _("Soft bounce"), "mail-off", _("could not take {email} in time"), reason=True),
        _kind("email.opened", _("E-mail opened"), "mail-opened", _("opened {email}"), verdict=True, is_activity=True),
        _kind(
            "email.clicked",
            _("Link clicked"),
            "click",
            _("clicked {link} in {email}"),
            verdict=True,
            is_activity=True,
            link=True,
        ),
        _kind("email.unsubscribed", _("Unsubscribed"), "user-minus", _("unsubscribed by {email}")),
        _kind("email.complained", _("Complaint"), "flag", _("reported {email} as spam")),
    )


def _kind(
    key: str,
    title: object,
    icon: str,
    sentence: object,
    *,
    is_activity: bool = False,
    reason: bool = False,
    verdict: bool = False,
    link: bool = False,
) -> Kind:
    fields = dict(_NAMES)
    if reason:
        fields["reason"] = _("Reason")
    if verdict:
        fields["verdict"] = _("Who it was")
    if link:
        fields |= {"link": _("Link"), "url": _("Address")}
    return Kind(
        key,
        title=title,  # type: ignore[arg-type]
        icon=icon,
        sentence=sentence,  # type: ignore[arg-type]
        object_kind="email",
        group=GROUP,
        fields=fields,
        # What a mail server says names the address as a rule.
        personal=("reason",) if reason else (),
        is_activity=is_activity,
    )
