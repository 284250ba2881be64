"""One door for all tests that leave its homes as they are, or do not mind how they are."""

from collections.abc import Iterator

import pytest

from tests.harness.door.door_kit import Served, both_generations, opened


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("door")
    with opened(both_generations(folder), folder) as found:
        yield found
