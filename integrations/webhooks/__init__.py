"""Webhooks that go out: what happens here is told to addresses that a company has entered."""
