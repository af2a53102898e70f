"""What makes an entry of a term list unfit to be searched for, and what of it is worth telling."""

from filters.languages import ANY, code, known
from filters.listrows import Row
from filters.textforms import plain

LONGEST = 200  # characters; a longer entry is a caption, or rows that ran together
NO_LETTER = "without any letter or digit"
TOO_LONG = f"of more than {LONGEST} characters"
ONE_CHARACTER = "of a single character, which stands in texts of all kinds"
IN_ANY_TEXT = "that are words of nearly every caption"
UNKNOWN_LANGUAGE = "in a language that no text is ever found to be in, so that they cover none"
SEVERAL_TIMES = "that stand in the list already, in the same category"

# What stands in one caption of ten and more, in the languages with the most captions. Own selection.
_IN_ANY_TEXT = """a an and are as at by for from in is it of on or that the this to was with photo photos image images
picture pictures stock video vector illustration free download by http https www com jpg der die das den dem und ist ein
eine mit von für im auf zu bild foto le la les un une des du de et en est pour avec dans sur el los las una y es con
para por del que o os as um uma e em com do da no na il lo gli i di per che het een van voor met op te и в на с по для
из не я фото 的 了 在 是 の は を に と が 이 는 을"""
_ANY_TEXT = frozenset(_IN_ANY_TEXT.split())


def wrong_term(value: str) -> str:
    """Return what is wrong with a term, as a fault says it; empty when it can be searched for."""
    form = plain(value).strip()
    letters = sum(map(str.isalnum, form))
    if not letters:
        return NO_LETTER
    if len(form) > LONGEST:
        return TOO_LONG
    if form in _ANY_TEXT:
        return IN_ANY_TEXT
    return ONE_CHARACTER if letters == 1 else ""


class Remarks:
    """What is worth telling of terms that can be used, noted while they go by: places of entries by reason."""

    def __init__(self) -> None:
        """Begin with a list of which nothing is known."""
        self._seen: set[tuple[str, str]] = set()
        self.places: dict[str, list[int | str]] = {}

    def see(self, place: int | str, row: Row) -> None:
        """Note a term that goes by."""
        entry = (row.category, plain(row.value).strip())
        language = code(row.language)
        if entry in self._seen:
            self.places.setdefault(SEVERAL_TIMES, []).append(place)
        elif language not in ("", ANY) and not known(language):
            self.places.setdefault(UNKNOWN_LANGUAGE, []).append(place)
        self._seen.add(entry)
