"""JOSE: tokens, keys and signatures, read strictly (RFC 7515, 7517, 7518, 8037, 8725).

The cryptography is joserfc's; every check around it stands here (D1-1 to D1-7).
"""
