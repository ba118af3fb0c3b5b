"""Logins with an OpenID provider (OpenID Connect Core 1.0, Discovery 1.0, and its logouts)."""
