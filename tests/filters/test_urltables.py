"""Keyed hashes of names: sorted, found, and met by chance as often as the page says."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.urltables import HASH_BYTES, UrlGathering, UrlTable, hash_of, hashes_of, hosts_of, may_have, starts_of

KEY = b"0123456789abcdef0123456789abcdef"
WORDS = st.integers(0, 2**64 - 1)


def table_of(names: list[str | bytes], key: bytes = KEY) -> UrlTable:
    gathering = UrlGathering(key)
    for place, name in enumerate(names):
        gathering.add(name, place % 3)
    return gathering.table(np.array([0, 1, 2], dtype=np.uint32))


def test_a_hash_is_blake2b_with_the_key_cut_to_64_bits() -> None:
    wanted = hashlib.blake2b(b"site.test/", digest_size=8, key=KEY).digest()
    assert hash_of(KEY, "site.test/").to_bytes(HASH_BYTES, "little") == wanted
    assert hash_of(KEY, "site.test/") != hash_of(KEY[::-1], "site.test/")


@given(st.lists(st.text("abc./|", min_size=1, max_size=4), max_size=40), st.lists(st.text("abc./|", max_size=4)))
def test_what_was_added_is_found_with_its_owners_and_nothing_else(added: list[str], asked: list[str]) -> None:
    found = dict(table_of(list(added)).find(hashes_of(KEY, asked)))
    wanted = [sorted({place % 3 for place, each in enumerate(added) if each == name}) for name in asked]
    assert found == {place: owners for place, owners in enumerate(wanted) if owners}


@given(st.lists(WORDS, max_size=300))
def test_every_hash_lies_in_the_bucket_of_its_highest_bits(words: list[int]) -> None:
    hashes = np.sort(np.array(words, dtype=np.uint64))
    starts = starts_of(hashes).tolist()
    bits = (len(starts) - 1).bit_length() - 1
    assert len(starts) == 2**bits + 1
    for bucket in range(2**bits):
        assert all(word >> 64 - bits == bucket for word in hashes[starts[bucket] : starts[bucket + 1]].tolist())
    assert starts[-1] == len(words)


@given(st.lists(WORDS, max_size=200), st.lists(WORDS, max_size=20))
def test_a_host_with_a_name_is_never_denied(words: list[int], others: list[int]) -> None:
    hosts = hosts_of(np.array(words, dtype=np.uint64))
    assert all(may_have(hosts, [*others, each]) for each in words)
    assert not may_have(hosts, [])


def test_hosts_without_a_name_are_mostly_denied() -> None:
    rng = np.random.default_rng(5)
    hosts = hosts_of(rng.integers(0, 2**64, 20_000, dtype=np.uint64))
    strangers = rng.integers(0, 2**64, 5_000, dtype=np.uint64).tolist()
    assert sum(may_have(hosts, [each]) for each in strangers) < 0.08 * len(strangers)
    assert hosts.nbytes < 2.2 * 20_000


def test_a_table_takes_less_than_twenty_bytes_a_name() -> None:
    table = table_of([f"site{number}.test/" for number in range(20_000)])
    assert sum(each.nbytes for each in (table.hashes, table.owners, table.starts, table.hosts)) < 16 * 20_000


def test_strangers_are_met_by_chance_as_often_as_the_length_of_a_hash_says() -> None:
    """Cut to 24 bits, n names are met with n / 2**24; by the same law with n / 2**64 as they are, here not once."""
    listed = hashes_of(KEY, [f"listed{number}.test/" for number in range(4_096)])
    strangers = hashes_of(KEY, [f"stranger{number}.test/" for number in range(300_000)])
    cut = np.isin(strangers >> np.uint64(40), listed >> np.uint64(40)).sum()
    expected = len(strangers) * len(listed) / 2**24
    assert abs(cut - expected) < 5 * expected**0.5
    assert not np.isin(strangers, listed).any()


def test_a_table_hides_its_hashes() -> None:
    table = table_of(["codeword-alpha.test/"])
    assert str(int(table.hashes[0])) not in repr(table)
