"""What the points do: the ledger, its rules, the shop, the monthly publication."""
