"""The data plane: listeners, upstream connections, configuration, reload and telemetry."""
