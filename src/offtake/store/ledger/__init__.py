"""The ledger on disk: SQLite by default; plain SQL, all of it in this room."""
