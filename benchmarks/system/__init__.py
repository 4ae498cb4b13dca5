"""The machine and the processes on it: servers, their CPUs, CPU time and memory.

Imports no other package of benchmarks.
"""
