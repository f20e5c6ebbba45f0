"""The reader "out": what has happened is told to other systems, in the transaction that moves the cursor.

It is the last of the readers, so that whoever is told about a fact and asks back finds everything that follows from it.
"""

from contacts.reactor import Batch, Reader
from integrations.crm import reader as crm
from integrations.webhooks import reader as webhooks


def run(batch: Batch) -> None:
    """Order deliveries to webhooks, and changes to CRMs."""
    webhooks.run(batch)
    crm.run(batch)


READER = Reader("out", run=run)
