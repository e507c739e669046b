"""The tables of deliberation: bodies and their rules, topics, opinions, meetings, votes, outcomes."""
