"""kill -9 of the web server while people order: an order that was acknowledged is there afterwards."""

import http.client
import signal
import threading
from collections import deque

import pytest

from tests.buyers import Buyer, buyers
from tests.sites import Site, site, until

pytestmark = pytest.mark.slow

KILLS, BETWEEN, CROWD = 4, 12, 8


class Rush:
    """A crowd that orders one after the other, and goes on with the next when the server dies under it."""

    def __init__(self, waiting: list[Buyer]) -> None:
        self.waiting = deque(waiting)
        self.acknowledged = 0
        self.in_doubt = 0
        self.wrong: list[int] = []
        self.lock = threading.Lock()
        self.up = threading.Event()
        self.threads = [threading.Thread(target=self._order_on) for _each in range(CROWD)]

    def _order_on(self) -> None:
        while True:
            self.up.wait()
            with self.lock:
                if not self.waiting:
                    return
                buyer = self.waiting.popleft()
            self._order(buyer)

    def _order(self, buyer: Buyer) -> None:
        try:
            buyer.look()
            status = buyer.order()
        except (OSError, http.client.HTTPException):
            with self.lock:
                self.in_doubt += 1
        else:
            with self.lock:
                self.acknowledged += status == 303
                self.wrong += [] if status == 303 else [status]
        finally:
            buyer.close()


def _kill_again_and_again(made: Site, rush: Rush) -> None:
    for kill in range(1, KILLS + 1):
        process = made.serve()
        rush.up.set()
        until(lambda kill=kill: rush.acknowledged >= kill * BETWEEN, f"{kill * BETWEEN} orders")
        rush.up.clear()
        process.signal(signal.SIGKILL)
        process.popen.wait()


def test_no_acknowledged_order_is_lost(database, tmp_path):
    with site(database, tmp_path / "site") as made:
        made.migrated()
        rush = Rush(buyers(made, 120, portions=200))
        for thread in rush.threads:
            thread.start()
        _kill_again_and_again(made, rush)
        made.serve()
        rush.up.set()
        for thread in rush.threads:
            thread.join()

        placed = made.scalar("SELECT count(*) FROM meal_order")
        assert rush.wrong == []
        assert rush.acknowledged >= KILLS * BETWEEN
        assert rush.acknowledged <= placed <= rush.acknowledged + rush.in_doubt
        # Whatever was in doubt is there whole or not at all.
        assert made.scalar("SELECT taken FROM capacity") == placed
        assert made.scalar("SELECT count(*) FROM order_item") == placed
        assert made.scalar("SELECT count(*) FROM audit_row WHERE action = 'meals.order_placed'") == placed
        assert made.run("verify").returncode == 0
