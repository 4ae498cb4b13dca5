"""The load: golden rows in each protocol, Locust and wrk, and what they count.

Imports bundle/, cli/ and benchmarks.system. What the locustfile imports of it needs Locust,
HdrHistogram, numpy, scipy and orjson only, so that it runs wherever Locust does.
"""
