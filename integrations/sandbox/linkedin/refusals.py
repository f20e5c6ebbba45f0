"""How LinkedIn says no."""

from typing import Any

from integrations.sandbox.http import Reply


class Refusal(Exception):
    """An answer that is an error, in LinkedIn's envelope."""

    def __init__(self, status: int, message: str, code: str = "", service: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.service = status, message, code, service

    def reply(self) -> Reply:
        envelope: dict[str, Any] = {"message": self.message, "status": self.status}
        if self.service is not None:
            envelope["serviceErrorCode"] = self.service
        if self.code:
            envelope["code"] = self.code
        return Reply.json(self.status, envelope)


def invalid(parameter: str) -> Refusal:
    """A parameter that is missing, badly encoded or of no known value."""
    return Refusal(400, f"Parameter '{parameter}' is invalid")


def no_token() -> Refusal:
    return Refusal(401, "Empty oauth2_access_token", service=401)


def bad_token() -> Refusal:
    return Refusal(401, "Invalid access token", "INVALID_ACCESS_TOKEN", 65600)


def revoked_token() -> Refusal:
    """Revoked by the member, or so new that not every machine knows it."""
    text = "The token used in the request has been revoked by the user"
    return Refusal(401, text, "REVOKED_ACCESS_TOKEN", 65601)


def expired_token() -> Refusal:
    return Refusal(401, "The token used in the request has expired", "EXPIRED_ACCESS_TOKEN", 65602)


def denied(what: str) -> Refusal:
    """Scope, program or role is missing."""
    return Refusal(403, f"Not enough permissions to access: {what}", "ACCESS_DENIED", 100)


def not_found(what: str) -> Refusal:
    return Refusal(404, f"Could not find entity: {what}", "NOT_FOUND")


def too_many() -> Refusal:
    text = "Resource level throttle limit for calls to this resource is reached."
    return Refusal(429, text, "TOO_MANY_REQUESTS", 101)
