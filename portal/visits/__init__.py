"""Care visits (探访关爱): who is to be visited and how often, what was found, and what follows from it."""
