"""Where records are kept: in memory, in a file that survives a restart, on a server for several."""
