"""The proxies that are measured. Each module tells how one is started with the same task."""
