"""HTTP/1.1 messages as bytes and as values (RFC 9112). Sans-IO, strict, without a lenient mode."""
