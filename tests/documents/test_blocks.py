from pathlib import Path

import pytest

from docs.generate import contents
from tests.documents import blocks

PAGE = """\
# Title

<!-- contents -->
<!-- /contents -->

## First & second

```sh
curl http://127.0.0.1:8080/
```

<!-- test: slow -->
```sh
make test
```

## Où, « ça » ?

```sh
A=b docker compose up
```

```text
## no section
```

```sh
.venv-serve/bin/python -m serve --port 9000
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_reads_blocks_with_what_they_need(page: Path) -> None:
    found = blocks.read(page)
    assert [(block.line, block.mark) for block in found] == [
        (9, ""),
        (14, "slow"),
        (20, "docker"),
        (28, ""),
    ]
    assert found[1].text == "make test\n"


@pytest.mark.parametrize(
    ("commands", "serves"),
    [
        ("make run\n", True),
        ("make mlflow\n", True),
        (".venv-serve/bin/python -m serve\n", True),
        (".venv-serve/bin/python -m serve \\\n  --port 9000\n", True),
        (".venv-serve/bin/python -m serve --help\n", False),
        (".venv-serve/bin/python -m serve check\n", False),
        (".venv-serve/bin/python -m serve --port 0 &\nkill $!\n", False),
        ("make test\n", False),
    ],
)
def test_knows_commands_that_go_on(commands: str, serves: bool) -> None:
    assert blocks.Block(commands, "", 1).serves == serves


def test_refuses_an_unknown_mark(page: Path) -> None:
    page.write_text(PAGE.replace("test: slow", "test: slwo"))
    with pytest.raises(ValueError, match=r":14: the mark 'slwo' is not in"):
        blocks.read(page)


def test_contents_link_to_sections_and_stay_the_same() -> None:
    renewed = contents.renewed(PAGE)
    assert "[First & second](#first--second) · [Où, « ça » ?](#où--ça--)\n" in renewed
    assert contents.renewed(renewed) == renewed
