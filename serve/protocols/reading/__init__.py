"""JSON documents become arrays: with the number kernel if possible, else with simdjson.

May import: protocols.interface, protocols.tensors, protocols.number_kernel, models and the base
modules.
"""
