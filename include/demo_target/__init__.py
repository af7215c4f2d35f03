"""A stand-in for PratikoAI's backend: its HTTP contract over a real PostgreSQL, a real cache and a real LLM stub.

It exists so that a load test can be shown, tested and proved without the real one. Its faults are switched at run time
over `/admin/faults`, which the real one does not have.
"""
