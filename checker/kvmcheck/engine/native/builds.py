# SPDX-License-Identifier: GPL-2.0-only
"""Two programs from one text: one that is there at once, and one that is fast, for a search that goes on.

The compiler needs a quarter of the time when it improves nothing, and what it makes then runs at a quarter of the
speed: docs/reference/performance.md.  So a short search is over before the fast program would be there, and a long one
begins anew when it is.
"""

from __future__ import annotations

from pathlib import Path

from kvmcheck.engine.native.build import Build, BuildError

#: After the options of every build, so these decide.
AT_ONCE = ("-O0",)


class Builds:
    """What a search may run.  Raises `BuildError` where there is no compiler.

    `at_once`: the fast program is not waited for; else it is the only one.
    """

    def __init__(self, source: str, options: tuple[str, ...] = (), *, at_once: bool = True) -> None:
        self._source, self._options = source, options
        self._fast: Build | None = None
        self._quick: Build | None = None
        if not at_once or Build.is_built(source, options):
            self._fast = Build(source, options)
        else:
            self._quick = Build(source, (*options, *AT_ONCE))

    @property
    def _first(self) -> Build:
        found = self._quick or self._fast
        assert found is not None
        return found

    def ready(self) -> bool:
        """Whether there is something to run; raises `BuildError` if there never is."""
        return self._first.ready()

    def wait(self) -> Path:
        """The first program, once it is built; raises `BuildError`."""
        return self._first.wait()

    def better(self) -> bool:
        """Asked while the first program runs: whether there is a faster one.  The first question has it built."""
        if self._quick is None:
            return False
        try:
            if self._fast is None:
                self._fast = Build(self._source, self._options)
            if not self._fast.ready():
                return False
        except BuildError:
            # Then the slow one goes on to its end.
            return False
        self._quick = None
        return True

    def cancel(self) -> None:
        """End what is still at work."""
        for build in (self._quick, self._fast):
            if build is not None:
                build.cancel()
