"""The web pages: a few files that are served as they are, without a build step."""

from pathlib import Path

from serve.errors import NotFound, quoted
from serve.protocols.response import Headers, Response

FOLDER = Path(__file__).parent / "assets"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Headers = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-cache"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


class Pages:
    """The files of the pages, in memory."""

    def __init__(self, enabled: bool) -> None:
        """Read them; if the pages are disabled, there are none."""
        paths = [path for path in FOLDER.iterdir() if path.suffix in TYPES] if enabled else []
        self._answers = {
            path.name: Response(200, path.read_bytes(), TYPES[path.suffix], HEADERS)
            for path in paths
        }

    def get(self, name: str) -> Response:
        """One file.

        Raises:
            NotFound: there is no such file, or the pages are disabled.

        """
        self.check_enabled()
        if name not in self._answers:
            raise NotFound(f"the pages have no file {quoted(name)}")
        return self._answers[name]

    def check_enabled(self) -> None:
        """Refuse what is there only for the pages.

        Raises:
            NotFound: the pages are disabled.

        """
        if not self._answers:
            raise NotFound("the web pages are disabled (--pages off)")
