"""What the stand-ins know this installation by: as public as this file, and good for made-up data alone."""

# The Entra tenant and the app registration of every environment of Dataverse.
TENANT_ID = "3f6d2c1a-0000-4000-8000-00000000a001"
CLIENT_ID = "3f6d2c1a-0000-4000-8000-00000000c001"
CLIENT_SECRET = "sandbox-secret~not-a-real-one"  # noqa: S105
