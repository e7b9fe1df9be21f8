"""Transcripts on disk: calls of customers who opted in, encrypted, for the hours that were said and no longer."""
