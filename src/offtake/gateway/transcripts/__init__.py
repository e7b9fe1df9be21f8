"""Keeping calls of customers who opted in: heard beside the answer, written by a thread, purged by the supervisor."""
