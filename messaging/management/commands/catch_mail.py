"""`manage.py catch_mail`: the mail catcher, where CATCHER_URL says."""

import asyncio
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from messaging.catcher import serve


class Command(BaseCommand):
    help = "Runs the SMTP server that keeps mails instead of passing them on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = urlsplit(settings.CATCHER_URL)
        parser.add_argument("--host", default=address.hostname or "127.0.0.1")
        parser.add_argument("--port", type=int, default=address.port or 1025)

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(serve(options["host"], options["port"]))
