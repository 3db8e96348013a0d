"""Calls by the provider's Batch API: the same requests, replies and tables as realtime, hours later and cheaper."""
