"""Real third-party clients, each in a process of its own, against a real server."""
