"""The same work on many files, on all processors."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_with_progress(
    work: Callable[[ItemT], ResultT],
    items: Sequence[ItemT],
    description: str,
    workers: int | None = None,
) -> list[ResultT]:
    """Applies a function to each item, in threads: OpenCV and numpy work outside Python's lock.

    Args:
      work: the function.
      items: what it is applied to.
      description: what the progress bar says.
      workers: threads; None takes as many as there are processors.

    Returns:
      The results, in the order of the items. An exception, or Ctrl-C, drops what has not begun.
    """
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        try:
            results = pool.map(work, items)
            return list(tqdm(results, desc=description, total=len(items), unit="image"))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
