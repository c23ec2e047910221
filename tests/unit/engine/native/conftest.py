# SPDX-License-Identifier: GPL-2.0-only
"""What the native tier's tests share: a cache of their own, and a C compiler, or they are skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kvmcheck.engine.native.build import compiler


@pytest.fixture(scope="session")
def native_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def own_cache(native_cache: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", native_cache)
    compiler.cache_clear()
    if compiler() is None:
        pytest.skip("there is no C compiler")
    yield
    compiler.cache_clear()
