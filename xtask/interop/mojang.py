#!/usr/bin/env python3
"""Worlds that Mojang's LevelDB wrote come out of `strata recover` as worlds that it opens.

    python mojang.py --strata PATH [--seed N]

Mojang's LevelDB compresses its blocks with zlib (type 2) or as a raw deflate stream (type 4), neither of
which LevelDB knows. It comes from the Python registry as `amulet-leveldb`, which is imported as `leveldb`.
What it shows of a recovered database must be what it shows of the original: at once, opened again, after
a compaction, and after its own repair, which moves what it can't read into `lost`.
"""
import argparse
import contextlib
import faulthandler
import os
import random
import shutil
import sys
import tempfile

import leveldb

from common import contents_of, files_of, logs_of, tables_of
from strata import Strata

HERE = os.path.dirname(os.path.abspath(__file__))
FIELD_CASES = os.path.join(HERE, "..", "..", "crates", "cli", "tests", "data", "field-cases", "bedrock")


def one_log(db, rng):
    """Nothing but a log."""
    for number in range(400):
        db.put(b"chunk%05d" % rng.randrange(250), b"value %d " % number * rng.randrange(12))
    db.delete(b"chunk00007")


def tables_and_log(db, rng):
    """Several times the write buffer of 4 MiB, overwritten and deleted."""
    for number in range(900):
        chunk = {b"chunk%05d" % rng.randrange(6000): b"%d-" % number + b"block" * rng.randrange(50) + rng.randbytes(30)
                 for _ in range(100)}
        db.putBatch(chunk)
        db.delete(b"chunk%05d" % rng.randrange(6000))


def reopened(db, rng):
    """Small, but in a table and a log: the caller opens it twice."""
    for number in range(300):
        db.put(b"player-%03d" % rng.randrange(150), b"%d" % number + b"-" * 80)
    for number in range(20):
        db.delete(b"player-%03d" % rng.randrange(150))


# Each shape, and how often it is written and closed.
SHAPES = [(one_log, 1), (tables_and_log, 1), (reopened, 3)]


def opened(path, create=False):
    return contextlib.closing(leveldb.LevelDB(path, create))


def shown_by(path):
    """The pairs Mojang's LevelDB shows of a copy of the directory."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = os.path.join(scratch, "db")
        shutil.copytree(path, copy)
        with opened(copy) as db:
            return list(db.items())


def check_opens(out, expected, label):
    """Mojang's LevelDB opens a database, compacts and repairs it, and shows these pairs throughout."""
    names = set(tables_of(out))
    for when in ("opened", "opened again"):
        with opened(out) as db:
            assert list(db.items()) == expected, f"{label}: {when}"
            for key, value in expected:
                assert db.get(key) == value, f"{label}: {when}, get {key!r}"
        assert names <= set(tables_of(out)), f"{label}: tables were removed"
    repaired = out + "-repaired"
    shutil.copytree(out, repaired)
    leveldb.repair_db(repaired)
    lost = files_of(os.path.join(repaired, "lost"))
    assert not [name for name in lost if name.endswith(".ldb")], f"{label}: moved to lost: {lost}"
    with opened(repaired) as db:
        assert list(db.items()) == expected, f"{label}: repaired"
    with opened(out) as db:
        db.compact()
        assert list(db.items()) == expected, f"{label}: compacted"
        for key, _ in expected[:20]:
            db.put(key, b"newer")
    with opened(out) as db:
        assert all(db.get(key) == b"newer" for key, _ in expected[:20]), f"{label}: new values"


def check_database(strata, path, scratch, label):
    """Recover a directory with and without its manifest, by itself and as either compression."""
    expected, before = shown_by(path), contents_of(path)
    shown = [(key, value) for _, key, value in strata.dump(path, "--visible")]
    assert shown == expected, f"{label}: dump shows something else"
    bare = os.path.join(scratch, "bare")
    shutil.copytree(path, bare)
    for name in files_of(bare):
        if name == "CURRENT" or name.startswith("MANIFEST-"):
            os.remove(os.path.join(bare, name))
    raw = sum(len(key) + len(value) for key, value in expected)
    for source in (path, bare):
        for options in ([], ["--compression", "deflate"], ["--compression", "zlib"], ["--compression", "none"]):
            name = f"{label}, {os.path.basename(source)}, {' '.join(options) or 'default'}"
            out = os.path.join(scratch, "-".join(["out", os.path.basename(source), *options[1:]]))
            strata.rebuild(source, out, *options)
            size = sum(os.path.getsize(os.path.join(out, table)) for table in tables_of(out))
            is_small = "none" not in options and (options or tables_of(source))
            assert not is_small or size < raw, f"{name}: {size} bytes for {raw}: it is not compressed"
            check_opens(out, expected, name)
    assert contents_of(path) == before, f"{label}: the input was changed"
    return len(expected)


def check_shape(strata, write, times, seed, scratch):
    rng = random.Random(f"{seed}/{write.__name__}/mojang")
    path = os.path.join(scratch, "original")
    for time in range(times):
        with opened(path, create=time == 0) as db:
            write(db, rng)
    for name in ("LOCK", "LOG", "LOG.old"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(path, name))
    count = check_database(strata, path, scratch, write.__name__)
    return f"{len(tables_of(path))} tables, {len(logs_of(path))} logs, {count} keys"


def check_field_cases(strata, scratch):
    """The world with all 25 new values; the table of type 2, of which a repair makes a database."""
    world = os.path.join(FIELD_CASES, "world")
    assert sum(value.startswith(b"new-") for _, value in shown_by(world)) == 25
    check_database(strata, world, scratch, "bedrock/world")
    out = os.path.join(scratch, "zlib-2")
    strata.rebuild(os.path.join(FIELD_CASES, "zlib-2"), out)
    expected = [(b"chunk%05d" % n, b"value-chunk%05d-" % n + b"x" * 60) for n in range(50)]
    check_opens(out, expected, "bedrock/zlib-2")
    return "25 new values of 50, and a table of type 2"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", required=True, help="the program")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    faulthandler.dump_traceback_later(600, exit=True)
    print(f"mojang: seed {args.seed}", flush=True)
    strata = Strata(args.strata)
    checks = [(write.__name__, lambda scratch, write=write, times=times:
               check_shape(strata, write, times, args.seed, scratch)) for write, times in SHAPES]
    for label, check in [*checks, ("field cases", lambda scratch: check_field_cases(strata, scratch))]:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                print(f"  {label:16} {check(scratch)}", flush=True)
        except BaseException:
            print(f"mojang: failed at {label}, seed {args.seed}", file=sys.stderr)
            raise


if __name__ == "__main__":
    main()
