"""The traffic-policy language: from text to a checked, compiled policy and its outcome. No IO."""
