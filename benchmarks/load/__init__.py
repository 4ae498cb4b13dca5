"""The load: digits, how each dialect writes them, and what a load generator keeps of the answers.

Runs wherever Locust does: needs Locust, HdrHistogram, numpy and orjson, and of ``train`` only the
data.
"""
