"""The data plane against its peers: what `bench/proxy.py` is made of."""
