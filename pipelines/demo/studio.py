"""Turn views of photographs into rows of a download list, in the ways in which img2dataset stores them."""

from collections.abc import Callable
from typing import Literal

from PIL import Image

from pipelines.demo.encode import bordered, jpeg, keep_ratio, png, webp
from pipelines.demo.photos import FACES, View, Views
from pipelines.demo.rows import Plant, Row, digest

Mode = Literal["keep ratio", "border", "png", "webp", "as downloaded"]
ORIGINAL_QUALITY = 92
STORED_QUALITY = 95  # img2dataset's default encode_quality
HOSTS = 7
CAPTIONS = (
    "A photo of {}",
    "{}, picture {number}",
    "Stock photograph: {}",
    "Close-up of {} in daylight",
    "{} - free wallpaper",
    "Postcard no. {number}, {}",
)
# Scenes with large shapes: of repeated patterns (bricks, lines of print) and flat skies PDQ itself is unsure.
SCENES = ("astronaut", "camera", "chelsea", "coffee", "coins", "flower", "hopper", "moon")
# Neither people nor the colours of skin, which a model of adult content could take for it.
THINGS = ("brick", "china", "coins", "grass", "gravel", "hubble", "moon", "motorcycle", "page", "rocket")


class Studio:
    """A supply of rows about distinct views, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._views = Views(seed)
        self._any = self._views.every()
        self._things = self._views.every(THINGS)
        self._scenes = self._views.every(SCENES)
        self._rows = 0

    def view(self) -> View:
        """Return a new view of anything."""
        return next(self._any)

    def thing(self) -> View:
        """Return a new view that shows nobody, and nothing that looks like skin."""
        return next(self._things)

    def scene(self) -> View:
        """Return a new view that PDQ knows again well: something to put on a hash list."""
        return next(self._scenes)

    def wide(self) -> View:
        """Return a new scene whose sides differ enough for border mode to add bars."""
        return next(view for view in self._scenes if view.pixels.shape[1] * 3 > view.pixels.shape[0] * 4)

    def face(self) -> View:
        """Return a new view of a grown-up whose face is large and clear."""
        view = self._views.take("hopper", FACES["hopper"])
        if view is None:
            raise StopIteration("the photograph is used up")
        return view

    def row(self, view: View, mode: Mode = "keep ratio", plant: Plant | None = None) -> Row:
        """Return a row about this view: its own address and page, and a caption that says what it shows."""
        return self.stored(view, jpeg(view.image, ORIGINAL_QUALITY), mode, plant)

    def stored(self, view: View, original: bytes, mode: Mode, plant: Plant | None = None) -> Row:
        """Return a row whose download was `original`, a file that shows this view."""
        self._rows += 1
        number = self._rows
        image, suffix, size = _STORE[mode](view.image, original)
        subject = view.subject
        return Row(
            url=f"https://img{number % HOSTS}.example.com/photos/{view.photo}/{number:05d}.jpg",
            caption=CAPTIONS[number % len(CAPTIONS)].format(subject, number=number),
            image=image,
            suffix=suffix,
            size=size,
            original_size=None if size is None else view.image.size,
            sha256=digest(original),
            columns={"page_url": f"https://www.example.org/articles/{number}", "LICENSE": "?"},
            plant=plant,
        )


Stored = tuple[bytes, str, tuple[int, int] | None]


def _keep_ratio(image: Image.Image, original: bytes) -> Stored:
    small = keep_ratio(image)
    return jpeg(small, STORED_QUALITY), "jpg", small.size


def _border(image: Image.Image, original: bytes) -> Stored:
    page = bordered(image)
    return jpeg(page, STORED_QUALITY), "jpg", page.size


def _png(image: Image.Image, original: bytes) -> Stored:
    small = keep_ratio(image)
    return png(small), "png", small.size


def _webp(image: Image.Image, original: bytes) -> Stored:
    small = keep_ratio(image)
    return webp(small), "webp", small.size


def _as_downloaded(image: Image.Image, original: bytes) -> Stored:
    return original, "jpg", None  # disable_all_reencoding: nobody measured it, and every format is called jpg


_STORE: dict[str, Callable[[Image.Image, bytes], Stored]] = {
    "keep ratio": _keep_ratio,
    "border": _border,
    "png": _png,
    "webp": _webp,
    "as downloaded": _as_downloaded,
}
