"""A mailbox that keeps the newest item of each sender, for one worker."""

import threading
from collections import OrderedDict
from typing import Any, Hashable, Optional, Tuple


class Mailbox:
    """One slot per key; a new item replaces the one that waits.

    A key keeps its place in the queue when its item is replaced and goes to the end when it
    is taken, so every key is served in turn, however fast the others send.
    """

    def __init__(self):
        self._slots = OrderedDict()
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
            return self._slots.popitem(last=False) if self._slots else None

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

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed
