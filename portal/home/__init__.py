"""Home: pages that span capabilities: the resident's home, the worker's desk, a person's page."""
