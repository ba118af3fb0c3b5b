"""Ten minutes of mixed load with faults: what `bench/soak.py` is made of."""
