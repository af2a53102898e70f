"""URL lists: addresses a second and core, bytes an entry, time to build and to load, memory at its peak.

Run: .venv/bin/python -m benchmarks.urls [--entries 1000000 10000000] [--rounds 5]. Lists of more than two million
entries are built from their names, as reading their text would take minutes at the speed that smaller ones show.

The list: three of four entries are domains, the fourth is a page or folder. Addresses, none of them listed but one in a
thousand: "plain" as corpora of the web mostly have them, two to four host labels and one to six parts of a path; of
"mixed" one in ten has escapes, one in fifty another address within, one in fifty a host in another script or no scheme;
"hostile" are evasive spellings only. Processor time of one thread, in calls of 1,000, the best of the rounds, the ways
in turn. The floor is ada-url's parsing alone; the peer is a Python set of canonical addresses, asked for every name.
"""

import argparse
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import ada_url
import numpy as np

from filters import pins, urlsearch
from filters.addresses import AddressError, canonical, nested
from filters.listsource import ListSource
from filters.urlfolder import UrlList, write_folder
from filters.urlkeys import made_key
from filters.urllists import build_urls, read_urls
from filters.urlnames import names
from filters.urlsearch import UrlSearch
from filters.urltables import UrlGathering

CALL = 1_000
FROM_TEXT = 2 * 10**6  # entries
TOPS = ("com.test", "org.test", "net.test", "de.test", "co.test", "io.test")
WORDS = ("photos", "images", "media", "wp-content", "uploads", "2019", "2021", "05", "11", "thumb", "large", "products")
Look = Callable[[list[str]], object]


def domain(number: int) -> str:
    return f"{number * 2654435761 % 2**32:x}-site.{TOPS[number % len(TOPS)]}"


def entry(number: int) -> str:
    if number % 4:
        return domain(number)
    return f"http://{domain(number)}/{WORDS[number % 12]}/{number}" + ("/" if number % 8 else ".jpg")


def write_list(path: Path, count: int) -> ListSource:
    with path.open("w") as file:
        file.writelines(f"{entry(number)}\n" for number in range(count))
    return ListSource("made-up", str(path), "urls", "csam", version="1", key=f"file:{path.parent / 'key'}")


def plain(rng: random.Random) -> str:
    host = rng.choice(("", "www.", "cdn.", "img3.static.")) + domain(rng.randrange(2**31, 2**32))
    path = "/".join(rng.choice(WORDS) for _ in range(rng.randrange(6)))
    query = f"?w={rng.randrange(2000)}&h={rng.randrange(2000)}" if rng.random() < 0.3 else ""
    return f"https://{host}/{path}/{rng.getrandbits(40):x}_{rng.randrange(9999)}.jpg{query}".replace("//", "/").replace(
        ":/", "://"
    )


def mixed(rng: random.Random) -> str:
    text = plain(rng)
    kind = rng.randrange(100)
    if kind < 10:
        return text.replace("_", "%20%C3%A9" if kind < 8 else "%2F")
    if kind < 12:
        return f"https://proxy.test/resize?url={text.replace('/', '%2F').replace(':', '%3A')}&w=300"
    return (
        text.replace("https://", "")
        if kind == 12
        else text.replace("https://", "https://bücher.")
        if kind == 13
        else text
    )


def hostile(rng: random.Random) -> str:
    text = plain(rng)
    host, _, path = text.removeprefix("https://").partition("/")
    return rng.choice(
        (
            f"http://u:p@{host}.:8080/x/../{path}",
            f"http:\\\\{host}\\.\\{path}",
            f"hTTp://{host.upper()}//%2e/{path}",
            f"https://proxy.test/?u={text}",
            "http://" + "".join(f"%{ord(each):02x}" for each in host) + f"/{path}",
            f"http://{host.replace('s', 'ｓ')}/{path}",
            f"http://{rng.getrandbits(32)}/{path}",
            f"http://{host}/" + path.replace("/", "%25252f"),
        )
    )


def addresses(kind: Callable[[random.Random], str], count: int, listed: int) -> list[str]:
    rng = random.Random(7)
    found = [kind(rng) for _ in range(count)]
    found[::1000] = [f"http://www.{domain(rng.randrange(listed) | 1)}/x.jpg" for _ in found[::1000]]
    return found


def speed(look: Look, asked: list[str], rounds: int) -> float:
    """Return addresses a second: the sum of the least time of each call."""
    calls = [asked[start : start + CALL] for start in range(0, len(asked), CALL)]
    least = [math.inf] * len(calls)
    for _ in range(rounds):
        for place, call in enumerate(calls):
            began = time.process_time()
            look(call)
            least[place] = min(least[place], time.process_time() - began)
    return len(asked) / sum(least)


def parsed(asked: list[str]) -> None:
    for text in asked:
        with suppress(ValueError):
            ada_url.parse_url(text, attributes=("hostname", "pathname", "search"))


def in_a_set(known: set[str]) -> Look:
    def look(asked: list[str]) -> list[bool]:
        return [any(name in known for name in every(text)) for text in asked]

    return look


def every(text: str) -> Iterator[str]:
    try:
        address = canonical(text)
        for each in (address, *nested(address)):
            yield from names(each)
    except AddressError:
        return


def without_extension(search: UrlSearch) -> Look:
    def look(asked: list[str]) -> object:
        kept = urlsearch._COMPILED
        urlsearch._COMPILED = None
        try:
            return search.find(asked)
        finally:
            urlsearch._COMPILED = kept

    return look


def in_another_process(code: str, *words: str) -> str:
    """Run a function of this module alone, so that its memory at the peak is its own; return what it prints."""
    command = [sys.executable, "-c", f"from benchmarks.urls import *; {code}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def build_here(path: str, folder: str) -> None:
    """Build the list and print the seconds, the entries and the memory at the peak."""
    source = ListSource("made-up", path, "urls", "csam", version="1", key=f"file:{Path(path).parent / 'key'}")
    began = time.process_time()
    build_urls(source, folder)
    print(f"built in {time.process_time() - began:.1f} s of processor time, {peak():,.0f} MiB at the peak")


def gather_here(path: str, folder: str) -> None:
    """Build the list as `shardwall list build` does after reading its text, and print the same."""
    source = ListSource("made-up", path, "urls", "csam", version="1", key=f"file:{Path(path).parent / 'key'}")
    key, count = made_key(source), int(Path(path).read_text())
    began = time.process_time()
    gathering = UrlGathering(key)
    for number in range(count):
        name = entry(number).removeprefix("http://")
        gathering.add(name if "/" in name else f"{name}/", 0)
    table = gathering.table(np.zeros(1, dtype=np.uint32))
    Path(folder).mkdir()
    found = UrlList("made-up", "1", "", "0" * 64, key, (("csam", ""),), (("csam", count),), (), False, table)
    write_folder(Path(folder), found, "")
    print(f"built of names in {time.process_time() - began:.1f} s of processor time, {peak():,.0f} MiB at the peak")


def load_here(path: str, folder: str) -> None:
    """Look at the list as a run does, then load it as a worker does, and print the seconds and the memory."""
    source = ListSource("made-up", folder, "urls", "csam", key=f"file:{Path(path).parent / 'key'}")
    time.sleep(pins.SETTLED_NS / 1e9 + 0.1)
    before, began = peak(), time.perf_counter()
    read_urls(source)
    looked = time.perf_counter()
    read_urls(source, stamped=True)
    loaded = time.perf_counter()
    print(f"first look {looked - began:.2f} s, load {loaded - looked:.4f} s, {peak() - before:,.0f} MiB mapped or used")


def measure(count: int, folder: Path, rounds: int) -> None:
    source = write_list(folder / "list.txt", count if count <= FROM_TEXT else 0)
    built = folder / "built"
    if count > FROM_TEXT:
        Path(source.path).write_text(str(count))
    way = "build_here" if count <= FROM_TEXT else "gather_here"
    print("  " + in_another_process(f"{way}(*sys.argv[1:])", source.path, str(built)), flush=True)
    size = sum(path.stat().st_size for path in built.iterdir()) / count
    loaded = in_another_process("load_here(*sys.argv[1:])", source.path, str(built))
    print(f"  {size:.1f} bytes an entry; {loaded}", flush=True)
    search = UrlSearch([read_urls(replace(source, path=str(built)))])
    hashed = UrlSearch([replace(each, digests=True) for each in [read_urls(replace(source, path=str(built)))]])
    peer: set[str] = set()
    if count <= 10**6:
        peer = {name for number in range(count) for name in list(every(entry(number)))[:1]}
    ways: list[tuple[str, Look, int]] = [
        ("floor: ada-url parses", parsed, 20_000),
        ("the filter's search", search.find, 50_000),
        ("the same with SHA-256 entries", hashed.find, 10_000),
        ("the same without extension", without_extension(search), 2_000),
        ("peer: a set of canonical names", in_a_set(peer), 2_000),
    ]
    for kind in (plain, mixed, hostile):
        asked = addresses(kind, 50_000, count)
        for name, look, some in ways if peer else ways[:-1]:
            print(f"  {kind.__name__:8}{name:36}{speed(look, asked[:some], rounds):12,.0f} addresses/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, nargs="+", default=[10**6])
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    print("with the extension" if urlsearch.EXTENSION else "WITHOUT the extension")
    for count in wanted.entries:
        print(f"{count:,} entries")
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder), wanted.rounds)


if __name__ == "__main__":
    main()
