import errno

import pytest

from pipelines.mishaps import sentence


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/data/out"),
            "/data/out cannot be used: Permission denied. Mend",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "The work cannot go on: No space left on device. Mend"),
        (MemoryError("canary"), "not enough memory. Give fewer workers"),
        (ValueError("canary"), "An unexpected ValueError at test_mishaps.py:"),
        (OSError("canary"), "An unexpected OSError at test_mishaps.py:"),
        (
            UnicodeDecodeError("utf-8", b"canary", 0, 1, "canary"),
            "An unexpected UnicodeDecodeError at test_mishaps.py:",
        ),
    ],
)
def test_an_error_is_told_by_what_to_do_and_never_by_its_message(error: BaseException, words: str) -> None:
    told = sentence(raised(error))
    assert words in told
    assert "canary" not in told
    assert told.endswith(".")
    assert "\n" not in told


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert sentence(ValueError("canary")) == "An unexpected ValueError. This is a fault of Shardwall: report it."
