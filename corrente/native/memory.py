"""Memory: one arena a program, in which every buffer has its place while it is needed."""

from __future__ import annotations

import bisect

_LINE = 64


class Arena:
    """Hands out places in one block of memory and takes them back; a dry run, nothing is held."""

    def __init__(self) -> None:
        self.size = 0
        self._free: list[tuple[int, int]] = []
        """Gaps as (offset, length), in order."""

    def take(self, nbytes: int) -> int:
        """Return the offset of a place of so many bytes, at the beginning of a cache line."""
        need = max(_LINE, -(-nbytes // _LINE) * _LINE)
        fits = [gap for gap in self._free if gap[1] >= need]
        if not fits:
            offset = self.size
            if self._free and sum(self._free[-1]) == self.size:  # grow the last gap
                offset = self._free.pop()[0]
            self.size = offset + need
            return offset
        offset, length = min(fits, key=lambda gap: gap[1])
        self._free.remove((offset, length))
        if length > need:
            bisect.insort(self._free, (offset + need, length - need))
        return offset

    def give_back(self, offset: int, nbytes: int) -> None:
        """Take a place back and join it with the gaps beside it."""
        length = max(_LINE, -(-nbytes // _LINE) * _LINE)
        k = bisect.bisect(self._free, (offset, length))
        if k < len(self._free) and self._free[k][0] == offset + length:
            length += self._free.pop(k)[1]
        if k and sum(self._free[k - 1]) == offset:
            before = self._free.pop(k - 1)
            offset, length, k = before[0], before[1] + length, k - 1
        self._free.insert(k, (offset, length))
