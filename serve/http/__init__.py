"""HTTP/1.1 on a worker's event loop: from bytes to requests, and back (RFC 9110 and RFC 9112).

May import: api and the packages below it.
"""
