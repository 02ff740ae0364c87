#!/usr/bin/env python3
"""Logs of random databases that the real LevelDB wrote, made tables by `strata`, and read by LevelDB again.

    python interop.py --strata PATH [--seed N]

For every shape of database and every way to recover its logs, LevelDB must read from the tables,
key by key, what it reads from the original directory: forward, in reverse, and by point lookups of
present and absent keys. What `strata` reports and dumps is compared with the list of what was written.
"""
import argparse
import faulthandler
import os
import random
import sys
import tempfile
import time

from common import Recorder, contents_of, logs_of, tables_of, visible_in
from strata import Strata, given_to_leveldb

ABSENT = [b"absent", b"\x00absent", b"\xffabsent", b"key", b"key000000x", b"zzz"]


def simple(book, rng):
    """Single writes; keys written several times and deleted."""
    for number in range(4000):
        book.put(b"key%06d" % rng.randrange(900), b"value-%d " % number * rng.randint(1, 6))
        if rng.random() < 0.15:
            book.delete(b"key%06d" % rng.randrange(900))


def batches(book, rng):
    """Batches of up to 40 operations, some on the same key twice."""
    for _ in range(60):
        operations = []
        for _ in range(rng.randint(1, 40)):
            key = f"user/{rng.randrange(12):08x}/order/{rng.randrange(400):016x}".encode()
            operations.append((key, None if rng.random() < 0.2 else rng.randbytes(rng.randint(0, 60))))
        book.batch(operations)


def edges(book, rng):
    """The empty key, 0x00 and 0xff, prefixes of each other, long keys, empty values, one hot key."""
    keys = [b"", b"\x00", b"\x00\x00", b"\xff", b"\xff\xff", b"\xff\x00", b"a", b"a\x00", b"ab", b"a\xff",
            "ключ".encode(), "键".encode(), b"k" * 187, b"k" * 188, b"k" * 5000, b"k" * 40000]
    for _ in range(5):
        for key in keys:
            book.put(key, rng.randbytes(rng.choice([0, 0, 1, 7, 127, 128, 300])))
            if rng.random() < 0.3:
                book.delete(key)
    for number in range(200):
        book.put(b"hot", b"%d" % number)


def large_values(book, rng):
    """Values of 100 KB, half of them compressible, in records across several log blocks; over 4 MiB."""
    for number in range(48):
        value = rng.randbytes(100_000) if number % 2 else b"%06d " % number * 14_286
        book.put(b"large-%02d" % rng.randrange(40), value)
        book.put(b"small-%04d" % number, b"")


def rotating(book, rng):
    """More than the write buffer: LevelDB flushed tables and began new logs meanwhile."""
    for _ in range(1500):
        book.put(b"%016d" % rng.randrange(10**12), rng.randbytes(100))
        if rng.random() < 0.1:
            book.delete(book.writes[rng.randrange(len(book.writes))][1])


def reopened(book, rng):
    """Opened three times: the older part is in tables, the log holds the rest."""
    for generation in range(3):
        if generation:
            book.reopen()
        for number in range(150):
            book.put(b"generation%d-%04d" % (generation, number), rng.randbytes(40))
            book.put(b"shared-%04d" % rng.randrange(50), b"generation %d" % generation)
            if rng.random() < 0.2:
                book.delete(b"shared-%04d" % rng.randrange(50))


def reverse_order(one, other):
    """Bytewise order, reversed."""
    return (other > one) - (other < one)


REVERSE = {"comparator": reverse_order, "comparator_name": b"strata.ReverseBytewiseComparator"}
KEEP_IN_LOG = {"write_buffer_size": 64 << 20}

# Each shape with the options LevelDB is opened with while writing, and those it needs to read it at all.
SHAPES = [
    (simple, KEEP_IN_LOG, {}),
    (batches, KEEP_IN_LOG, {}),
    (edges, KEEP_IN_LOG, {}),
    (large_values, KEEP_IN_LOG, {}),
    (rotating, {"write_buffer_size": 64 << 10}, {}),
    (reopened, {}, {}),
    (batches, KEEP_IN_LOG, REVERSE),
    (edges, KEEP_IN_LOG, REVERSE),
]

# Each way to recover: the options of `strata recover`, and those LevelDB is opened with to read the tables.
WAYS = [
    ([], {}),
    (["--write-buffer-size", "65536"], {}),
    (["--compression", "none"], {}),
    (["--compression", "snappy"], {}),
    (["--bloom-bits", "10"], {"bloom_filter_bits": 10}),
    (["--write-buffer-size", "65536", "--compression", "snappy", "--bloom-bits", "10", "--salvage"],
     {"bloom_filter_bits": 10}),
]


def check_reads(db, expected, label):
    """Both directions and point lookups of a database give the expected pairs."""
    assert list(db.iterator(verify_checksums=True)) == expected, f"{label}: forward"
    assert list(db.iterator(reverse=True, verify_checksums=True)) == expected[::-1], f"{label}: reverse"
    for key, value in expected:
        assert db.get(key, verify_checksums=True) == value, f"{label}: get {key!r}"
    shown = dict(expected)
    for key in ABSENT + [key + b"\x00" for key in shown]:
        assert db.get(key) == shown.get(key), f"{label}: get {key!r}, which is absent"


def check_figures(report, logged, book, label):
    """The report says what the logs hold: operations `logged`, of all those in `book`."""
    tombstones = sum(value is None for _, _, value in logged)
    figures = {"entries": len(logged), "tombstones": tombstones,
               "first_sequence": logged[0][0], "last_sequence": logged[-1][0], "dropped": []}
    if len(logged) == len(book.writes):
        figures.update(records=book.batches, batches=book.batches)
    for name, figure in figures.items():
        assert report[name] == figure, f"{label}: {name} is {report[name]}, expected {figure}"


def check_dump(strata, book, in_key_order):
    """`dump` lists what was written; the operations that the logs hold, which is the last part of all."""
    dumped = [entry for name in logs_of(book.path) for entry in strata.dump(os.path.join(book.path, name))]
    logged = sorted(dumped)
    assert logged and logged == book.writes[-len(logged):], "dump lists something else than was written"
    if not tables_of(book.path):
        assert len(logged) == len(book.writes), f"dump lists {len(logged)} of {len(book.writes)} writes"
        listed = strata.dump(book.path)
        assert sorted(listed) == book.writes
        if in_key_order:
            assert listed == sorted(listed, key=lambda entry: (entry[1], -entry[0])), "dump is out of order"
    return logged


def check_gets(strata, book, rng):
    """`get` at random sequences: the newest value at or before it, or told to be deleted or absent."""
    statuses = {}
    for _ in range(12):
        at, key = rng.randint(1, len(book.writes)), rng.choice(book.writes)[1]
        versions = [value for sequence, other, value in book.writes if other == key and sequence <= at]
        done = strata.run("get", book.path, key.hex(), "--hex", "--at", str(at))
        answer = "absent" if not versions else "deleted" if versions[-1] is None else "value"
        statuses.setdefault(answer, set()).add(done.returncode)
        if answer == "value":
            assert versions[-1].hex() in done.stdout, f"get {key!r} at {at}: {done.stdout}{done.stderr}"
    assert statuses.get("value", {0}) == {0}, f"statuses of get: {statuses}"
    assert len(set().union(*statuses.values())) == len(statuses), f"statuses of get: {statuses}"


def check_way(strata, book, logged, expected, reading, way, scratch):
    """Recover in one way, check the report, and let LevelDB read the tables."""
    options, opening = way
    label = " ".join(options) or "default"
    if reading:
        options = [*options, "--comparator", "reverse-bytewise"]
    tables = os.path.join(scratch, "tables")
    before = contents_of(book.path)
    _, report = strata.recover_logs(book.path, tables, *options)
    assert contents_of(book.path) == before, f"{label}: the input was changed"
    check_figures(report, logged, book, label)
    assert sorted(strata.dump_tables(tables)) == logged, f"{label}: the tables hold something else"
    logged_bytes = sum(len(key) + len(value or b"") for _, key, value in logged)
    if "--write-buffer-size" in options and logged_bytes > 2 * 65536:
        assert len(report["tables"]) > 1, f"{label}: one table for {logged_bytes} bytes"
    if "--bloom-bits" in options:
        for content in contents_of(tables).values():
            assert b"filter.leveldb.BuiltinBloomFilter2" in content, f"{label}: a table without a filter"
    with given_to_leveldb(tables, os.path.join(scratch, "db"), book.path, **opening, **reading) as db:
        check_reads(db, expected, label)
    return sum(table["bytes"] for table in report["tables"])


def check_shape(strata, shape, seed):
    """Write a database of this shape with LevelDB and recover it in every way."""
    write, writing, reading = shape
    rng = random.Random(f"{seed}/{write.__name__}/{len(reading)}")
    with tempfile.TemporaryDirectory() as scratch:
        book = Recorder(os.path.join(scratch, "original"), **writing, **reading)
        write(book, rng)
        book.close()
        expected = visible_in(book.path, **reading)
        logged = check_dump(strata, book, in_key_order=not reading)
        if not reading and not tables_of(book.path):
            check_gets(strata, book, rng)
        sizes = []
        for number, way in enumerate(WAYS):
            place = os.path.join(scratch, str(number))
            os.mkdir(place)
            sizes.append(check_way(strata, book, logged, expected, reading, way, place))
        if write is large_values:
            assert sizes[3] < sizes[2], "snappy did not make the tables smaller"
        return len(book.writes), len(logged), len(expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", required=True, help="the program")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    # Ten times what it takes: LevelDB's binding can wait for itself, and a build should then fail, not hang.
    faulthandler.dump_traceback_later(600, exit=True)
    print(f"interop: seed {args.seed}", flush=True)
    for shape in SHAPES:
        started = time.monotonic()
        name = shape[0].__name__ + (" reverse" if shape[2] else "")
        try:
            written, logged, shown = check_shape(Strata(args.strata), shape, args.seed)
        except BaseException:
            print(f"interop: failed at {name}, seed {args.seed}", file=sys.stderr)
            raise
        seconds = time.monotonic() - started
        figures = f"{written:5} writes, {logged:5} in logs, {shown:4} keys, {len(WAYS)} ways"
        print(f"  {name:16} {figures}: {seconds:4.1f} s", flush=True)


if __name__ == "__main__":
    main()
