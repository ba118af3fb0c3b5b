"""SAML 2.0 Web browser single sign-on and single logout, for us as the service provider.

Nothing here asks for the network, a clock or random numbers: time, identifiers, certificates and
messages are arguments. `response.validate_response` and its like in `logout` take plain values and
give plain values, so that they can run in a thread: signatures take milliseconds.

Identity is read from nothing but canonical bytes whose digest is what the identity provider
signed, parsed once more (D3-7): whatever else a message holds, it is not looked at for that.
"""
