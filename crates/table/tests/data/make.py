#!/usr/bin/env python3
"""Makes the tables in this directory with LevelDB itself, and has LevelDB read tables of ours.

    python3 -m venv venv && venv/bin/pip install plyvel==1.5.1
    venv/bin/python make.py              # writes the .ldb files into this directory
    venv/bin/python make.py check DIR    # reads DIR/*.ldb, written by examples/rewrite.rs from these

plyvel 1.5.1 bundles LevelDB 1.22. Writes go to its log; opening the database again turns the log
into one level-0 table that holds every version of every key, tombstones too. The sequence number
of a write is its place in the list, from 1. tests/it/samples.rs says the same lists in Rust.
"""

import glob
import os
import shutil
import sys
import tempfile

import plyvel

HERE = os.path.dirname(os.path.abspath(__file__))


def tiny():
    return [(b"apple", b"red"), (b"apricot", b"orange"), (b"apple", None)]


def many(value):
    """Each key is written once; every 3rd again; every 5th deleted in the end.

    Far apart, so that the keys between blocks can be shortened in the index.
    """
    keys = [b"%08x" % (i * 2654435769 % 2**32) for i in range(150)]
    writes = [(key, value(i)) for i, key in enumerate(keys)]
    writes += [(key, b"again") for key in keys[::3]]
    writes += [(key, None) for key in keys[::5]]
    return writes


def noise(i, length):
    """Bytes that do not compress: the high bytes of a linear congruential generator."""
    state, out = i + 1, bytearray()
    for _ in range(length):
        state = (state * 1103515245 + 12345) % 2**31
        out.append(state >> 23)
    return bytes(out)


def text(i):
    return b"%d bottles of beer on the wall, " % i * (i % 6)


def mixed(i):
    return noise(i, 100) if i < 50 else text(i)


# A value of 9000 bytes leaves the filters of the 2 KiB ranges it covers empty.
def large(i):
    return noise(i, 9000) if i == 75 else noise(i, 40)


def reverse(a, b):
    return (a < b) - (a > b)


REVERSE = dict(comparator=reverse, comparator_name=b"strata.ReverseBytewiseComparator")

SAMPLES = {
    "tiny_raw": (tiny(), dict(compression=None)),
    "tiny_bloom": (tiny(), dict(compression=None, bloom_filter_bits=10)),
    "raw": (many(lambda i: noise(i, 40)), dict(compression=None)),
    "bloom": (many(large), dict(compression=None, bloom_filter_bits=10)),
    "restart1": (
        many(lambda i: b"%d" % i),
        dict(compression=None, block_restart_interval=1, block_size=1024, bloom_filter_bits=3),
    ),
    "snappy": (many(mixed), dict(compression="snappy", bloom_filter_bits=10)),
    "reverse": (many(lambda i: b"%d" % i), dict(compression="snappy", block_size=1024, **REVERSE)),
}


def make():
    for name, (writes, options) in SAMPLES.items():
        directory = tempfile.mkdtemp()
        db = plyvel.DB(directory, create_if_missing=True, **options)
        for key, value in writes:
            db.delete(key) if value is None else db.put(key, value)
        db.close()
        plyvel.DB(directory, **options).close()
        (table,) = glob.glob(os.path.join(directory, "*.ldb"))
        shutil.copy(table, os.path.join(HERE, name + ".ldb"))
        shutil.rmtree(directory)
        print(name, os.path.getsize(os.path.join(HERE, name + ".ldb")))


def check(tables):
    for name, (writes, options) in SAMPLES.items():
        directory = tempfile.mkdtemp()
        shutil.copy(os.path.join(tables, name + ".ldb"), os.path.join(directory, "000005.ldb"))
        # Opening would delete a table that no MANIFEST names; repairing makes the MANIFEST.
        plyvel.repair_db(directory, **options)
        db = plyvel.DB(directory, paranoid_checks=True, **options)
        expected = {}
        for key, value in writes:
            expected[key] = value
        absent = [b"", b"7", b"9e3779b9x", b"zebra"]
        for key in list(expected) + absent:
            assert db.get(key, verify_checksums=True) == expected.get(key), (name, key)
        live = [(k, v) for k, v in expected.items() if v is not None]
        live.sort(reverse="comparator" in options)
        assert list(db.iterator(verify_checksums=True)) == live, name
        db.close()
        shutil.rmtree(directory)
        print(name, "ok:", len(live), "live keys of", len(writes), "writes")


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1:2] == ["check"] else make()
