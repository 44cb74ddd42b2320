"""Whether the next answer is to be waited for awake: it is where the last ones came at once."""

from __future__ import annotations

import os

__all__ = ["GLANCES", "Glances"]

# A server so near that it answers in this many seconds is looked at again and again for as long:
# to fall asleep and to be woken takes a processor as long as the answer itself. Measured: 90 us a
# round trip become 55, for the same processor time.
GLANCES = 100e-6
# After glances in vain, so many quick answers in a row are waited for asleep at most.
_MOST_WARY = 63


class Glances:
    """What was seen of the answers of one peer."""

    def __init__(self) -> None:
        # How many more quick answers make glances worth while, and how many after the next miss.
        # With one processor the server could not even work meanwhile.
        self._wary = 1 if (os.cpu_count() or 1) > 1 else -1
        self._next_wary = 1

    @property
    def worth(self) -> bool:
        """Whether the next answer is to be waited for awake, for as long as `GLANCES`."""
        return self._wary == 0

    def met(self) -> None:
        """Note that an answer came while it was waited for awake."""
        self._next_wary = 1

    def missed(self) -> None:
        """Note that none came in that time."""
        self._wary = self._next_wary
        self._next_wary = min(2 * self._next_wary + 1, _MOST_WARY)

    def slept(self, seconds: float) -> None:
        """Note that an answer came after so many seconds, waited for asleep."""
        # Asleep, it looks longer than it was.
        if self._wary > 0 and seconds < 2 * GLANCES:
            self._wary -= 1
