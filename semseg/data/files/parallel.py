"""The same work on many files, on all processors."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_AHEAD = 4
"""Items in work for each thread: enough to keep all busy, few enough to keep memory flat."""


def map_with_progress(
    work: Callable[[ItemT], ResultT],
    items: Sequence[ItemT],
    description: str,
    workers: int | None = None,
) -> Iterator[ResultT]:
    """Applies a function to each item, in threads: OpenCV and numpy work outside Python's lock.

    Args:
      work: the function.
      items: what it is applied to.
      description: what the progress bar says.
      workers: threads; None takes as many as there are processors.

    Yields:
      The results, in the order of the items. An exception, or Ctrl-C, drops what has not begun.
    """
    count = workers or os.cpu_count() or 1
    waiting: deque[Future[ResultT]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        with tqdm(desc=description, total=len(items), unit="image") as progress:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > count * _AHEAD:
                    yield _finish(waiting, progress)
            while waiting:
                yield _finish(waiting, progress)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _finish(waiting: deque[Future[ResultT]], progress: tqdm) -> ResultT:
    result = waiting.popleft().result()
    progress.update()
    return result
