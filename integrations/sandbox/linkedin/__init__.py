"""A stand-in for LinkedIn's Lead Sync API.

world.py      who may come in (token, version, encoding, limits), and which resource answers
oauth.py      the page that asks the member, codes, tokens
restli.py     queries, read as strictly as LinkedIn reads them
finders.py    ad accounts, campaigns, forms, responses, figures
paging.py     pages, and what goes wrong with them
pushing.py    notifications: subscriptions, challenges, deliveries
seeding.py    the short form in which records are put in
company.py    the believable company that is there at the beginning
"""

from integrations.sandbox.linkedin.world import LinkedIn

__all__ = ["LinkedIn"]
