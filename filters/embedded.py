"""Where in a file's other bytes a second picture may begin."""

import re

# Each with the bytes that lie before the match. All begin with letters, which makes a search fast, and are strict
# enough that chance hardly ever meets them; a decoder has the last word.
_IMAGES = (
    (re.compile(rb"\xff\xd8\xff[\xc0-\xc4\xdb\xdd\xe0-\xef\xfe]"), 0),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), 0),
    (re.compile(rb"GIF8[79]a"), 0),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), 0),
    (re.compile(rb"ftypavi[fs]"), 4),
)
_APPENDED = (
    *_IMAGES,
    (re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0{3}", re.DOTALL), 0),
    (re.compile(rb"II[*+]\0"), 0),
    (re.compile(rb"MM\0[*+]"), 0),
)
_OTHER_MEDIA = (
    re.compile(rb"ftyp(?!avi[fs])"),  # films and HEIC
    re.compile(rb"JXL \r\n\x87\n|jP  \r\n\x87\n"),
    re.compile(rb"\x1aE\xdf\xa3"),  # Matroska, WebM
    re.compile(rb"8BPS\0[\1\2]"),
    re.compile(rb"RIFF.{4}AVI ", re.DOTALL),
)


def next_start(data: bytes, at: int, appended: bool) -> int | None:
    """Return where the next picture may begin, from `at` on; bitmaps and TIFF count only where one is `appended`.

    An EXIF block is itself a TIFF, and two letters are met by chance.
    """
    patterns = _APPENDED if appended else _IMAGES
    starts = (found.start() - before for each, before in patterns if (found := each.search(data, at + before)))
    return min(starts, default=None)


def has_other_media(data: bytes, at: int) -> bool:
    """Tell whether a film, as motion photos append one, or a kind of image that is not decoded begins behind `at`."""
    return any(each.search(data, at) for each in _OTHER_MEDIA)
