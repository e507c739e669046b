"""Points: an append-only ledger that service earns, and goods or meals spend."""
