"""Logins in a browser: sessions, cookies, pages and paths, the same for every protocol.

What is different about OpenID Connect, OAuth providers and SAML stands in their own packages, as
a `LoginProtocol`.
"""
