import pytest

from docs.generate.__main__ import PAGES
from tests.conftest import ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "run python -m docs.generate"
