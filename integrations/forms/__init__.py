"""Forms of integrations."""
