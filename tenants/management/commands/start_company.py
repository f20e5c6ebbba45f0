"""`manage.py start_company NAME OWNER`: add a company to an installation where not everybody may start one."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from tenants import companies, invitations


class Command(BaseCommand):
    help = "Add a company, and print the link by which its owner gets in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the company's name")
        parser.add_argument("owner", help="the e-mail address of its first owner")
        parser.add_argument("--time-zone", default="UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = options["owner"].strip().lower()
        try:
            validate_email(owner)
        except ValidationError:
            raise CommandError(f"{owner} is no e-mail address.") from None
        invitation = companies.found(options["name"], owner, time_zone=options["time_zone"])
        self.stdout.write(f"{invitation.tenant} is at /t/{invitation.tenant.slug}/. Its owner gets in by")
        self.stdout.write(invitations.url_of(invitation))
