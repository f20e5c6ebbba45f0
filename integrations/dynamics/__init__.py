"""Dynamics 365 Sales by the Web API of Dataverse (v9.2): one CRM behind `integrations.crm.interface`.

`access` gets tokens from Entra ID, `odata` makes calls and batches, `tables` knows names, `session` writes and reads,
`metadata` says what columns can hold, `checking` tests a connection, `crm` puts it all together.
"""
