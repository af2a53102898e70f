"""Values that a list must hold: if they are gone, the list is not what it was, or is read wrongly."""

from pathlib import Path

from filters.listsource import ListSource, refusal


class Canaries:
    """Waits for the canaries of a list while its entries go by.

    The file is UTF-8 with one value per line, a hash with or without its algorithm before it ("pdq:<hex>"). It holds
    entries of the list, so it belongs where the list lies, for the same eyes.
    """

    def __init__(self, source: ListSource) -> None:
        """Read the file that the list names, if any; ListError when it cannot be read or has no value."""
        self._hashes = source.kind == "hashes"
        self._missing: dict[str, int] = {}
        if source.canary:
            self._missing = self._read(source)
            if not self._missing:
                raise refusal(source, "its `canary` file has no value, so nothing would be noticed. Add one")

    @property
    def values(self) -> tuple[str, ...]:
        """The values that were not seen yet."""
        return tuple(self._missing)

    @property
    def problem(self) -> str:
        """Why, after all entries went by, the list cannot be relied on; empty when every canary was among them."""
        if not self._missing:
            return ""
        lines = ", ".join(map(str, sorted(self._missing.values())))
        return (
            f"it does not hold what its `canary` file names (lines {lines}), so it is not the list it was, or is read "
            "wrongly. Look at `format` and `columns`, and fetch it again"
        )

    def see(self, algorithm: str, value: str) -> None:
        """Note an entry that goes by."""
        if self._missing:
            self._missing.pop(value, None)
            self._missing.pop(f"{algorithm}:{value}", None)

    def _read(self, source: ListSource) -> dict[str, int]:
        try:
            text = Path(source.canary).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise refusal(source, f"its `canary` file cannot be read ({type(error).__name__}). Correct it") from None
        lines = {line.strip(): number for number, line in enumerate(text.splitlines(), 1) if line.strip()}
        return {(value.lower() if self._hashes else value): number for value, number in lines.items()}
