"""Forms of care visits."""
