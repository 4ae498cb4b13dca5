"""What becomes of a server and its clients under attacks and faults."""
