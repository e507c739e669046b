"""The map of opinion, in a process of its own: what is heavy is imported there alone.

`python -m portal.deliberation.mapping` reads a question (question.py) and finds the groups (grouping.py), what each of
them and all of them hold (holding.py), and where they are drawn (drawing.py).
"""
