"""The machine and the processes on it: servers, their CPUs, CPU time and memory."""
