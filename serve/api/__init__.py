"""The routes, what each of them answers, and their description in OpenAPI.

May import: telemetry, inference, protocols, models, versions, processes and the base modules.
"""
