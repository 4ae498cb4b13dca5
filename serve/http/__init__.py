"""HTTP/1.1 on the worker's event loop (RFC 9110 and 9112)."""
