"""What all commands share: errors, Ctrl-C, numbers and names in options, tables and pages.

Imports nothing else of this project.
"""
