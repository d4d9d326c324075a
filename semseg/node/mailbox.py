"""A mailbox that keeps the newest item of each sender, for one worker."""

import threading
from collections import OrderedDict
from typing import Any, Dict, Hashable, Mapping, Optional, Tuple


class Mailbox:
    """One slot per key; a new item replaces the one that waits.

    Every key is served in turn, however fast the others send; one of weight 2 has twice as many
    turns as one of weight 1 while items of both wait. A key that sent nothing for a while has
    saved nothing up (start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996).

    Args:
      weights: key -> weight, above 0; 1 for keys that are not named.
    """

    def __init__(self, weights: Optional[Mapping[Hashable, float]] = None):
        self._weights = dict(weights or {})
        self._slots: Dict[Hashable, Any] = OrderedDict()
        self._due: Dict[Hashable, float] = {}  # Virtual time of each key's next turn.
        self._now = 0.0  # Virtual time: that of the turn that was taken last.
        self._changed = threading.Condition()
        self._closed = False

    def put(self, key: Hashable, item: Any) -> Optional[Any]:
        """Leaves an item for the worker; never waits.

        Returns:
          The item that it replaced, or None. A closed mailbox takes nothing.
        """
        with self._changed:
            if self._closed:
                return None
            replaced = self._slots.get(key)
            if key not in self._slots:
                self._due[key] = max(self._due.get(key, 0.0), self._now)
            self._slots[key] = item
            self._changed.notify()
            return replaced

    def take(self, timeout: Optional[float] = None) -> Optional[Tuple[Hashable, Any]]:
        """Waits for an item.

        Args:
          timeout: the longest wait in seconds; None waits for an item or for ``close``.

        Returns:
          (key, newest item of that key), or None: the time is up or the mailbox is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slots or self._closed, timeout)
            return self._pop() if self._slots else None

    def holds(self, key: Hashable) -> bool:
        """Whether an item of that key waits."""
        with self._changed:
            return key in self._slots

    def close(self) -> None:
        """Drops what waits and wakes the worker; ``take`` returns None from now on."""
        with self._changed:
            self._closed = True
            self._slots.clear()
            self._changed.notify_all()

    def _pop(self):
        key = min(self._slots, key=self._due.__getitem__)  # Of equals, the one that waits longest.
        self._now = self._due[key]
        self._due[key] += 1.0 / self._weights.get(key, 1.0)
        return key, self._slots.pop(key)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed
