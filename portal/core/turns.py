"""Turns: a lock whose waiters get it in the order in which they came."""

import threading
from collections import deque


class Turns:
    """One holder at a time. Whoever takes a turn leaves it again, in this thread or another."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, longest: float) -> bool:
        """Wait for a turn; False when it did not come in that many seconds."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=longest):
            return True
        with self._guard:
            if mine not in self._waiting:
                # It came at the last moment.
                return True
            self._waiting.remove(mine)
        return False

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
