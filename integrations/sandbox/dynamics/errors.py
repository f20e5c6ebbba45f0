"""What Dataverse says when it refuses: status, code and text as they come over the wire."""

from typing import Any

from integrations.sandbox.http import Reply


class Refusal(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def reply(self, **headers: str) -> Reply:
        body = {"error": {"code": self.code, "message": self.message}}
        return Reply.json(self.status, body, **{"OData_Version": "4.0", **headers, **self.headers})


def missing(table: str, key: str) -> Refusal:
    return Refusal(404, "0x80040217", f"{table} With Id = {key} Does Not Exist")


def no_such_key(table: str) -> Refusal:
    return Refusal(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def no_resource(segment: str) -> Refusal:
    return Refusal(404, "0x80060888", f"Resource not found for the segment '{segment}'.")


def invalid(message: str) -> Refusal:
    """What the OData layer finds before the platform looks at it."""
    return Refusal(400, "0x80048d19", f"Error identified in Payload provided by the user: {message}")


def bad_query(message: str) -> Refusal:
    return Refusal(400, "0x80060888", message)


def no_property(name: str, table: str) -> Refusal:
    kind = f"Microsoft.Dynamics.CRM.{table}"
    return invalid(
        f"Invalid property '{name}' was found in entity '{kind}'. ---> Microsoft.OData.ODataException: "
        f"The property '{name}' does not exist on type '{kind}'. Make sure to only use property names that are "
        "defined by the type."
    )


def undeclared(name: str) -> Refusal:
    return Refusal(
        400,
        "0x0",
        f"An undeclared property '{name}' which only has property annotations in the payload but no property value was "
        "found in the payload. In OData, only declared navigation properties and declared named streams can be "
        "represented as properties without values.",
    )


def too_long(column: str, table: str, most: int) -> Refusal:
    return Refusal(
        400,
        "0x80044331",
        f"A validation error occurred. The length of the '{column}' attribute of the '{table}' entity exceeded the "
        f"maximum allowed length of '{most}'.",
    )


def out_of_range(column: str, table: str, value: Any, accepted: str) -> Refusal:
    return Refusal(
        400,
        "0x80044330",
        f"A validation error occurred. The value {value} of '{column}' on record of type '{table}' is outside the "
        f"valid range. Accepted Values: {accepted}",
    )


def unconvertible(value: Any, wanted: str) -> Refusal:
    return invalid(
        f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' to the expected type '{wanted}'."
    )


def lacks(user: str, privilege: str, table: str) -> Refusal:
    return Refusal(
        403,
        "0x80040220",
        f"Principal user (Id={user}, type=8, roleCount=1, privilegeCount=20, accessMode='4 Non-interactive') is "
        f"missing {privilege} privilege on entity '{table}'.",
    )


STALE = Refusal(412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.")
EXISTS = Refusal(412, "0x80060892", "A record with matching key values already exists.")
DUPLICATE = Refusal(
    412,
    "0x80040333",
    "A record was not created or updated because a duplicate of the current record already exists.",
)
NO_MEMBER = Refusal(403, "0x80072560", "The user is not a member of the organization.")
EXPIRED_DELTA = Refusal(
    400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
)
REFERENCE_AS_VALUE = Refusal(
    400,
    "0x80048d19",
    "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
)
