"""Work that overlaps: frames are read ahead and results are scored while a network computes.

Decoding, OpenCV and engines all work outside Python's lock, so that threads are enough.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar

AHEAD = 4
"""Items that wait between two stages: they bound the memory."""

ItemT = TypeVar("ItemT")
_END = object()


def read_ahead(items: Iterable[ItemT], count: int = AHEAD) -> Iterator[ItemT]:
    """Goes through items in a thread of its own, some steps ahead.

    Args:
      items: what is read; one item is read after the other.
      count: how many items wait at most.

    Yields:
      The items in their order; what reading raises is raised here, in its turn.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, "read ahead") as reader:
        waiting: deque[Future[Any]] = deque(
            reader.submit(next, iterator, _END) for _ in range(count)
        )
        try:
            for item in iter(lambda: waiting.popleft().result(), _END):
                waiting.append(reader.submit(next, iterator, _END))
                yield item
        finally:
            reader.shutdown(wait=False, cancel_futures=True)


class InBackground:
    """Calls functions in the order of their submission, in one thread beside the caller's.

    ``with`` waits for them all. What a call raises is raised by a later ``submit``, or at the end.

    Args:
      count: how many calls wait at most; then ``submit`` blocks.
    """

    def __init__(self, count: int = AHEAD) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(1, "in background")
        self._waiting: deque[Future[Any]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        while self._waiting and kind is None:
            self._waiting.popleft().result()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Calls a function, once those before it are done."""
        while len(self._waiting) >= self._count:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(function, *arguments))
