"""Channels of notifications to subjects: a directory, a webhook, and an example with SMTP."""
