"""Audit: the auditor's pages on the rows that core records."""
