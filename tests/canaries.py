"""Canaries: strings planted where content lies, a corpus full of them, and a search for them in every spelling."""

import base64
import bz2
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from filters.fingerprints import Fingerprint, fingerprints
from filters.rasters import Limits, rasters
from tests.corpora import (
    ADULT_WORD,
    MINOR_WORD,
    Given,
    drawing,
    write_policy,
    write_shard,
    write_tar,
)
from tests.tree import texts

Secret = str | bytes
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
VIEWS = """
[[lists]]
name = "views"
path = "views.csv"
kind = "hashes"
category = "csam"
columns = { value = "hash", algorithm = "kind" }

[[rules]]
name = "listed view"
filter = "perceptual"
labels = ["csam"]
mark = "listed"
"""


def token(purpose: str) -> str:
    """Return a word that occurs nowhere else: letters and digits, so that it can stand in any place."""
    return "cnry" + hashlib.sha256(purpose.encode()).hexdigest()[:16]


def forms(secret: Secret) -> set[bytes]:
    """Return how a secret may be written down: as it is, in another case, as hex, base64, UTF-16, a Python literal."""
    if isinstance(secret, str):
        spelled = {each.encode() for each in (secret, secret.lower(), secret.upper())} | {secret.encode("utf-16-le")}
    else:
        spelled = {secret}
    found = set(spelled)
    for each in spelled:
        found |= {each.hex().encode(), each.hex().upper().encode(), repr(each)[2:-1].encode()}
        for before in range(3):  # base64 looks different for each place in a group of three bytes
            inner = base64.b64encode(bytes(before) + each)[(0, 2, 3)[before] :]
            inner = inner[: len(inner) - (4 if (before + len(each)) % 3 else 0)]
            found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def unpacked(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield the data, and all that is compressed or base64 within it."""
    yield data
    if not depth:
        return
    for opened in (bz2.decompress, zlib.decompress):
        try:
            yield from unpacked(opened(data), depth - 1)
        except (OSError, ValueError, zlib.error):
            continue
    for run in _BASE64_RUN.findall(data):
        yield from unpacked(
            base64.urlsafe_b64decode(run[: len(run) // 4 * 4].translate(bytes.maketrans(b"+/", b"-_"))), depth - 1
        )


def heard(secrets: Mapping[str, Secret], data: bytes) -> set[str]:
    """Return the names of the secrets that the data holds in any form."""
    pieces = list(unpacked(data))
    return {
        name for name, secret in secrets.items() if any(form in piece for form in forms(secret) for piece in pieces)
    }


def places(root: Path, secrets: Mapping[str, Secret]) -> dict[str, set[str]]:
    """Return for each secret the files below `root` that hold it; a file's own name counts as part of it."""
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    where: dict[str, set[str]] = {name: set() for name in secrets}
    for path, data in texts(root):
        whole = path.encode() + b"\0" + data
        for name, spelled in wanted.items():
            if any(form in whole for form in spelled):
                where[name].add(path)
    return where


def outside(where: Mapping[str, set[str]], *allowed: str) -> dict[str, set[str]]:
    """Return what lies in other places than those whose path begins so."""
    found = {name: {path for path in paths if not path.startswith(allowed)} for name, paths in where.items()}
    return {name: paths for name, paths in found.items() if paths}


def with_exif(image: bytes, text: str) -> bytes:
    """Return the same JPEG with a description in its EXIF."""
    with Image.open(io.BytesIO(image)) as opened:
        exif = opened.getexif()
        exif[0x010E] = text  # ImageDescription
        exif[0x9286] = text  # UserComment
        stream = io.BytesIO()
        opened.save(stream, "JPEG", quality=90, exif=exif)
    return stream.getvalue()


def loaded_with(name: str, seed: int, words: str = "", image: bytes | None = None, **meta: Any) -> Given:
    """Return a sample with a canary in its key, picture, caption, addresses and further JSON."""
    url, page = f"http://img.test/{token(f'url {name}')}.jpg", f"http://page.test/{token(f'page {name}')}"
    extra = {"url": url, "page_url": page, "alt": {"deep": [token(f"json {name}")]}, token(f"field {name}"): 1}
    picture = with_exif(drawing(seed), token(f"exif {name}")) if image is None else image
    return Given(token(f"key {name}"), picture, f"a drawing of {token(f'caption {name}')} {words}", {**extra, **meta})


def near(value: bytes) -> bytes:
    """Return a hash 4 bits away."""
    return bytes([value[0] ^ 0x0F]) + value[1:]


def prints_of(sample: Given) -> tuple[Fingerprint, ...]:
    """Return the fingerprints of a sample's picture."""
    return fingerprints((sample.image,), {}, rasters((sample.image,), {}, Limits()))


@dataclass(slots=True)
class Planted:
    """A corpus on disk, and everything secret about it by name."""

    folder: Path
    kept: list[Given] = field(default_factory=list)
    withheld: list[Given] = field(default_factory=list)
    more: dict[str, Secret] = field(default_factory=dict)  # content of withheld samples in other places
    keys: dict[str, Secret] = field(default_factory=dict)  # of samples that are withheld for their structure
    entries: dict[str, Secret] = field(default_factory=dict)
    lists: dict[str, Secret] = field(default_factory=dict)  # digests of the list files, by which they could be guessed

    def names(self, given: Iterable[Given]) -> dict[str, Secret]:
        """Return the keys."""
        return {f"key {each.key}": each.key for each in given}

    def content(self, given: Iterable[Given]) -> dict[str, Secret]:
        """Return every canary of these samples but the key, and pieces of their pictures."""
        found: dict[str, Secret] = {}
        for each in given:
            words = re.findall(r"cnry[0-9a-f]{16}", json.dumps([each.caption, each.meta]))
            found |= {f"word {number} of {each.key}": word for number, word in enumerate(words)}
            found |= {f"exif of {each.key}": word for word in re.findall(rb"cnry[0-9a-f]{16}", each.image)[:1]}
            middle = len(each.image) * 2 // 3
            found[f"picture of {each.key}"] = each.image[middle : middle + 24]
        return found

    def prints(self, given: Iterable[Given]) -> dict[str, Secret]:
        """Return the fingerprints of their pictures."""
        return {f"{p.kind} {p.form} of {each.key}": p.value for each in given for p in prints_of(each)}


def plant(folder: Path) -> Planted:
    """Write three shards with a sidecar, lists and a policy, canaries everywhere."""
    (folder / "in").mkdir(parents=True)
    planted = Planted(folder)
    planted.kept = [loaded_with(f"kept {number}", 500 + number) for number in range(5)]
    _shard_of_cases(planted)
    _shard_with_headers(planted)
    _shard_cut_off(planted)
    _lists(planted)
    return planted


def _shard_of_cases(planted: Planted) -> None:
    words = {name: token(f"word {name}") for name in ("suffix", "folder", "broken", "undecodable", "twice")}
    listed = loaded_with("listed file", 601)
    cases = [
        listed,
        loaded_with("recorded original", 602, md5=hashlib.md5(b"listed original").hexdigest()),
        loaded_with("near picture", 603),
        loaded_with("listed address", 604),
        loaded_with("listed word", 605, token("entry word")),
        loaded_with("both", 606, f"{MINOR_WORD} {ADULT_WORD}"),
        loaded_with("same page", 607, page_url=listed.meta["page_url"]),
        loaded_with("undecodable", 608, image=b"no picture " + words["undecodable"].encode() * 9),
        loaded_with("half a picture", 609, image=drawing(609)[:900]),
        loaded_with("crash", 610),
    ]
    planted.withheld += cases
    broken, odd, twice = (token(f"key {name}") for name in ("broken json", "odd suffix", "twice"))
    planted.keys |= {"broken json": broken, "odd suffix": odd, "twice": twice, "folder": words.pop("folder")}
    planted.more |= {f"word {name}": word for name, word in words.items()}
    first = [
        (f"{broken}.jpg", drawing(621)),
        (f"{broken}.json", f'{{"caption": "{words["broken"]}", "url": http://{words["broken"]}'.encode()),
        (f"{odd}.jpg", drawing(622)),
        (f"{odd}.{words['suffix']}", b"?"),
        (f"../{planted.keys['folder']!s}/a.jpg", drawing(623)),
    ]
    last = [(f"{twice}.jpg", drawing(624)), (f"{twice}.txt", words["twice"].encode())] * 2
    members = [member for each in (*planted.kept[:3], *cases) for member in each.members]
    write_tar(planted.folder / "in" / "00000.tar", [*members[:6], *first, *members[6:], *last])
    every = [*planted.kept[:3], *cases]
    failed = {"key": token("key failed"), "url": token("url failed"), "caption": token("caption failed")}
    planted.more |= {f"failed download, {name}": value for name, value in failed.items()}
    rows = [{"key": each.key, "url": each.meta["url"], "caption": each.caption} for each in every]
    pq.write_table(pa.Table.from_pylist([*rows, failed]), planted.folder / "in" / "00000.parquet")
    planted.more["status"] = token("status")
    stats = {"count": len(every) + 1, "status_dict": {"success": len(every), f"no host {token('status')}": 1}}
    (planted.folder / "in" / "00000_stats.json").write_text(json.dumps(stats))


def _shard_with_headers(planted: Planted) -> None:
    """Write a shard in the PAX format, whose headers carry a canary for a sample that is withheld."""
    planted.more["header"] = token("header")
    case = loaded_with("long headers", 631, f"{MINOR_WORD} {ADULT_WORD}")
    planted.withheld.append(case)
    with tarfile.open(planted.folder / "in" / "00001.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for sample in (planted.kept[3], case):
            for name, data in sample.members:
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                if sample is case:
                    entry.pax_headers = {"comment": token("header")}
                    entry.uname = token("header")
                tar.addfile(entry, io.BytesIO(data))


def _shard_cut_off(planted: Planted) -> None:
    path = planted.folder / "in" / "00002.tar"
    behind = loaded_with("behind the cut", 641)
    planted.withheld.append(behind)
    write_shard(path, [planted.kept[4], behind])
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(behind.key.encode() + b".txt") + 300])


def _lists(planted: Planted) -> None:
    """Write the policy and its lists: entries that match, entries that nearly match, entries that match nothing."""
    by_key = {each.key: each for each in planted.withheld}
    target = next(p.value for p in prints_of(by_key[token("key near picture")]) if p.kind == "pdq")
    unmatched = {kind: hashlib.new(kind, token(kind).encode()).digest() for kind in ("md5", "sha1", "sha256")}
    view = hashlib.sha256(token("view").encode()).digest()
    word, other = token("entry word"), token("other word")
    address, host = token("entry address"), token("entry host")
    policy = write_policy(planted.folder / "policy", [by_key[token("key listed file")].image], VIEWS)
    text = policy.read_text()
    policy.write_text(text.replace('name = "captions"', 'name = "perceptual"\n\n[[filters]]\nname = "captions"', 1))
    rows = [("pdq", near(target)), ("pdq", view), *unmatched.items(), ("md5", hashlib.md5(b"listed original").digest())]
    (policy.parent / "views.csv").write_text("kind,hash\n" + "".join(f"{kind},{raw.hex()}\n" for kind, raw in rows))
    with (policy.parent / "urls.csv").open("a") as urls, (policy.parent / "terms.csv").open("a") as terms:
        urls.write(f"http://img.test/{token('url listed address')}.jpg\nhttps://{host}.test/{address}\n")
        terms.write(f"{word},solicitation\n{other},minor\n")
    planted.entries |= {"near pdq": near(target), "pdq": view, **unmatched}
    planted.entries |= {"word": word, "other word": other, "address": address, "host": host}
    for path in policy.parent.glob("*.csv"):
        planted.lists[path.name] = hashlib.sha256(path.read_bytes()).digest()
