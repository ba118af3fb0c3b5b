"""What every login by OAuth 2.0 has in common: the code flow with PKCE (RFC 6749, 7636, 9700).

How an address is put together, how we prove who we are, how a code or a refresh token is
exchanged, and what a browser may bring back. Who the user is, is for others to find out.
"""
