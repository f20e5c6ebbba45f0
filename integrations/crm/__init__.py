"""The handover to a CRM in which sales works: what is the same for all of them.

A package of its own (`integrations.dynamics`) says how one CRM is talked to (`interface`); everything else is here:
what is to be written (`reader`, `outbox`), how it is carried out (`sending`), what sales does there (`pulling`,
`applying`, `news`), who decides where both sides differ (`deciding`), and what erasure asks for (`erasing`).
docs/integrations.md says how the next CRM is added.
"""
