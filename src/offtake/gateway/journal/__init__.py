"""The journal: one write-ahead file a worker, written before anything is promised, read by the ingester."""
