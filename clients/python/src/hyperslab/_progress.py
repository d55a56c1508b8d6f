"""A progress bar for what takes longer, where tqdm is installed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeAlias

#: None shows a bar on a terminal for large transfers, True always does, False never; a function is told of bytes.
Progress: TypeAlias = "bool | Callable[[int, int], None] | None"

#: Bytes from which a transfer has a bar without being asked.
LARGE = 64 << 20


class Meter:
    """Counts bytes, in any thread."""

    def __init__(self, total: int, what: str, progress: Progress) -> None:
        self.total, self.done = total, 0
        self._lock = threading.Lock()
        self._tell = progress if callable(progress) else None
        self._bar: Any = bar(total, what) if wanted(total, progress) else None

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def moved(self, count: int) -> None:
        """Notes that so many bytes were moved; negative where they have to be moved again."""
        with self._lock:
            self.done += count
            if self._bar is not None:
                self._bar.update(count)
            if self._tell:
                self._tell(self.done, self.total)

    def restart(self) -> None:
        """Begins anew."""
        self.moved(-self.done)


def wanted(total: int, progress: Progress) -> bool:
    """Whether a bar is shown."""
    if progress is None:
        return total >= LARGE and sys.stderr.isatty()
    return progress is True


def bar(total: int, what: str) -> Any:
    """A bar of tqdm, or None where tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=total, desc=what, unit="B", unit_scale=True, unit_divisor=1024)
