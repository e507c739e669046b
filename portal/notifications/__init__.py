"""Notifications: the inbox of each account, and the channels that carry what the outbox holds."""
