"""python-threatexchange, as a program apart: its signals, its indices, and how it reads what authorities send."""

import json
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

PEERS = Path(sys.prefix) / "peers"


def main() -> None:
    """Read a job from standard input as JSON, and answer it on the last line of standard output."""
    sys.path.insert(0, str(PEERS))
    # It compares free texts with this package, which has to be compiled and is not asked here.
    sys.modules["weighted_levenshtein"] = ModuleType("weighted_levenshtein")
    sys.modules["weighted_levenshtein"].lev = None  # type: ignore[attr-defined]
    job = json.load(sys.stdin)
    signals = {each.get_name(): each for each in _signals()}
    answer = {
        "version": version("threatexchange"),
        "examples": {name: signal.get_examples() for name, signal in signals.items()},
        "matches": {name: _matches(signals[name], *asked) for name, asked in job["searches"].items()},
        "hashes": [_hashes(signals, Path(path).read_bytes()) for path in job["files"]],
        "ncmec": _ncmec(list(signals.values()), job["ncmec"]),
        "stopncii": _stopncii(job["stopncii"]),
    }
    print(json.dumps(answer))


def _signals() -> list[Any]:
    return [
        _module("signal_type.pdq.signal").PdqSignal,
        _module("signal_type.md5").VideoMD5Signal,
        _module("signal_type.sha256").VideoSHA256Signal,
    ]


def _module(name: str) -> Any:
    return import_module(f"threatexchange.{name}")


def _matches(signal: Any, entries: list[str], queries: list[str]) -> list[dict[str, int]]:
    """Return for each query the numbers of the entries that its index finds, with the distance where there is one."""
    index = signal.get_index_cls().build((entry, number) for number, entry in enumerate(entries))
    told = []
    for query in queries:
        found = index.query(query)
        told.append({str(each.metadata): int(getattr(each.similarity_info, "distance", 0)) for each in found})
    return told


def _hashes(signals: dict[str, Any], content: bytes) -> dict[str, str]:
    found = {}
    for name, signal in signals.items():
        try:
            found[name] = signal.hash_from_bytes(content)
        except Exception as error:  # noqa: BLE001 - what it cannot read
            found[name] = type(error).__name__
    return found


def _ncmec(signals: list[Any], pages: list[str]) -> dict[str, list[str]]:
    """Return the values that it would index of pages of NCMEC's, by signal, after all of them came in order."""
    client, api = _module("exchanges.clients.ncmec.hash_api"), _module("exchanges.impl.ncmec_api")
    held: dict[str, Any] = {}
    for page in pages:
        element = ElementTree.fromstring(page)
        for each in element.iter():  # as its client does
            each.tag = each.tag.rpartition("}")[2]
        for update in client.GetEntriesResponse.from_xml(client._XMLWrapper(element), 0).updates:
            key = f"{update.member_id}-{update.id}"
            held[key] = api.NCMECSignalExchangeAPI.fetch_value_merge(held.get(key), update)
    kept = {key: each for key, each in held.items() if each is not None}
    collab = api.NCMECCollabConfig(environment=client.NCMECEnvironment.Industry, name="test")
    found = api.NCMECSignalExchangeAPI.naive_convert_to_signal_type(signals, collab, kept)
    return {signal.get_name(): sorted(values) for signal, values in found.items()}


def _stopncii(pages: list[Any]) -> list[str]:
    """Return the values that it would index of pages of StopNCII's."""
    mapped = _module("exchanges.impl.stop_ncii_api")._get_delta_mapping
    held = {}
    for page in pages:
        client = _module("exchanges.clients.stopncii.api").StopNCIIAPI("no key", "no key")
        client._get = lambda *_, page=page, **__: page
        for record in client.fetch_hashes().hashRecords:
            (kind, value), metadata = mapped(record)
            held[kind, value] = metadata
    return sorted(value for (kind, value), metadata in held.items() if kind and metadata is not None)


if __name__ == "__main__":
    main()
