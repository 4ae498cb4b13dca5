"""The parts of the Open Inference Protocol, which ``protocols.oip`` puts together.

May import: the modules of protocols that several protocols use.
"""
