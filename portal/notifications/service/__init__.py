"""The named queries and acts of notifications: the inbox, whom a message reaches, and its delivery."""
