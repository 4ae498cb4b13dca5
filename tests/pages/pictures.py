"""Image files of digits, as people have them."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from playwright.sync_api import Page

_DISPATCH = """([type, files]) => {
    const transfer = new DataTransfer();
    for (const {name, media, data} of files) {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name, {type: media}));
    }
    const options = {bubbles: true, cancelable: true};
    document.body.dispatchEvent(type === "paste"
        ? new ClipboardEvent(type, {...options, clipboardData: transfer})
        : new DragEvent(type, {...options, dataTransfer: transfer}));
}"""


@dataclass(frozen=True)
class File:
    name: str
    media: str
    data: bytes

    def encoded(self) -> dict[str, str]:
        data = base64.b64encode(self.data).decode()
        return {"name": self.name, "media": self.media, "data": data}


def give(page: Page, event: str, *files: File) -> None:
    """Drop or paste files, as the browser tells a page of it."""
    page.evaluate(_DISPATCH, [event, [file.encoded() for file in files]])


def as_trained(digit: NDArray[Any], name: str) -> File:
    """A PNG file of 28x28 pixels, white on black."""
    return _file(_image(digit), name, "png")


def on_paper(digit: NDArray[Any], name: str) -> File:
    """A JPEG file of a larger digit, black on white, not in the middle."""
    large = ImageOps.invert(_image(digit)).resize((280, 280), Image.Resampling.BICUBIC)
    paper = Image.new("L", (640, 480), 255)
    paper.paste(large, (300, 20))
    return _file(paper, name, "jpeg")


def _image(digit: NDArray[Any]) -> Image.Image:
    return Image.fromarray(digit.reshape(28, 28).astype(np.uint8))


def _file(image: Image.Image, name: str, kind: str) -> File:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return File(name, f"image/{kind}", buffer.getvalue())
