#!/usr/bin/env python3
"""The example store and the real LevelDB read what the other has written.

    python store.py --store PATH --strata PATH [--seed N]

The store is the example of strata-write-buffer. What it has left in a directory, tables and logs,
LevelDB reads after a repair, which makes a database of them, and as `strata recover` makes one. What
LevelDB has left, closed or killed, the store reads from a copy.
"""
import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import plyvel

from common import Recorder, logs_of, outcome_of, tables_of, visible_in
from strata import Strata

# So many pairs are given to the program at once.
PAIRS = 120


class Store:
    """Runs the program on a directory; each command opens the store and ends."""

    def __init__(self, program, path):
        self.program, self.path = program, path

    def run(self, *words, statuses=(0,)):
        done = subprocess.run([self.program, self.path, *words], capture_output=True, timeout=60, check=False)
        said = done.stderr.decode(errors="replace")
        assert done.returncode in statuses, f"store {' '.join(words)[:200]}: {done.returncode}: {said}"
        assert not said or 1 in statuses, f"store {words[0]} said: {said}"
        return done.stdout

    def scan(self, *bounds):
        """The pairs that are shown, none of which needs an escape."""
        return [tuple(line.split(b" => ")) for line in self.run("scan", *bounds).splitlines()]

    def get(self, key):
        """The value of a key, or None if there is none."""
        return self.run("get", key.decode(), statuses=(0, 1)).removesuffix(b"\n") or None


def check_store(store, expected, rng, label):
    """The store shows these pairs, as a whole, in parts and one by one."""
    assert store.scan() == expected, f"{label}: scan"
    keys = sorted({b"absent", b"zzz"} | {key for key, _ in expected})
    for _ in range(6):
        first, last = sorted(rng.sample(keys, 2))
        part = [pair for pair in expected if first <= pair[0] < last]
        assert store.scan(first.decode(), last.decode()) == part, f"{label}: scan {first} {last}"
    for key in rng.sample(keys, min(8, len(keys))) + [b"absent"]:
        assert store.get(key) == dict(expected).get(key), f"{label}: get {key}"


def written_by_the_store(program, strata, rng, scratch):
    """Overwrites and tombstones across several flushes and logs; the last of it in a log."""
    store = Store(program, os.path.join(scratch, "store"))
    writes = []
    for generation in range(4):
        for _ in range(3):
            pairs = [(b"key%03d" % rng.randrange(300), b"%d-%s" % (generation, b"v" * rng.randrange(90)))
                     for _ in range(PAIRS)]
            store.run("put", *(word.decode() for pair in pairs for word in pair))
            deleted = [b"key%03d" % rng.randrange(300) for _ in range(20)]
            store.run("delete", *(key.decode() for key in deleted))
            writes += [(0, *pair) for pair in pairs] + [(0, key, None) for key in deleted]
        if generation < 3:
            store.run("flush")
    assert len(tables_of(store.path)) > 2 and logs_of(store.path), os.listdir(store.path)
    expected = sorted(outcome_of(writes).items())

    # First LevelDB: the store would flush the log as soon as it is opened.
    repaired = os.path.join(scratch, "repaired")
    shutil.copytree(store.path, repaired)
    plyvel.repair_db(repaired, paranoid_checks=True)
    lost = os.path.join(repaired, "lost")
    assert not os.path.isdir(lost) or not tables_of(lost), f"LevelDB could not read {tables_of(lost)}"
    rebuilt = os.path.join(scratch, "rebuilt")
    Strata(strata).rebuild(store.path, rebuilt)
    for path in (repaired, rebuilt):
        with contextlib.closing(plyvel.DB(path, paranoid_checks=True)) as db:
            assert list(db.iterator(verify_checksums=True)) == expected, f"LevelDB reads something else of {path}"
            for key, value in expected:
                assert db.get(key, verify_checksums=True) == value, key
    check_store(store, expected, rng, "the store itself")
    return len(writes), len(expected)


def write_with_leveldb(path, seed):
    """Tables of several levels, and a log; of a database that is still open.

    Everything is flushed and merged a last time before the last writes, which do not fill a memtable.
    So no table is being written in the end: of one that is half written only the manifest, which the
    store does not read, would know that it is none.
    """
    rng = random.Random(seed)
    book = Recorder(path, write_buffer_size=64 << 10)
    for generation in range(4):
        for _ in range(900 if generation < 3 else 300):
            book.put(b"key%04d" % rng.randrange(1200), b"%d-%d" % (generation, rng.randrange(10**90)))
            if rng.random() < 0.2:
                book.delete(b"key%04d" % rng.randrange(1200))
        if generation < 3:
            book.db.compact_range()
            book.reopen()
    for number in range(30):
        book.put(b"last%02d" % number, b"in the log")
    return book


def write_and_die(path, seed):
    """Write with LevelDB and be killed."""
    book = write_with_leveldb(path, seed)
    book.batch([(b"last", b"of all"), (b"last00", None)])
    os.kill(os.getpid(), signal.SIGKILL)


def read_by_the_store(program, rng, scratch, is_killed):
    """What LevelDB has left, with its log; killed, before it could tidy up."""
    path = os.path.join(scratch, "leveldb")
    seed = rng.randrange(10**9)
    if is_killed:
        # Another process: LevelDB's thread does not survive a fork.
        done = subprocess.run([sys.executable, "-B", __file__, "--write-and-die", path, "--seed", str(seed)],
                              timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL, done
    else:
        write_with_leveldb(path, seed).close()
    assert logs_of(path) and tables_of(path), os.listdir(path)
    expected = visible_in(path)
    copy = os.path.join(scratch, "copy")
    shutil.copytree(path, copy)
    store = Store(program, copy)
    check_store(store, expected, rng, "the store, of LevelDB's")
    store.run("put", "key0000", "newer", "zzzz", "newest")
    store.run("delete", "last01")
    changed = dict(expected) | {b"key0000": b"newer", b"zzzz": b"newest"}
    del changed[b"last01"]
    check_store(store, sorted(changed.items()), rng, "the store, after writing")
    return len(tables_of(path)), len(expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="the example to run")
    parser.add_argument("--strata", help="the program")
    parser.add_argument("--write-and-die", metavar="PATH", help="only write with LevelDB, and be killed")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.write_and_die:
        write_and_die(args.write_and_die, args.seed)
    print(f"store: seed {args.seed}", flush=True)
    rng = random.Random(f"{args.seed}/store")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            writes, keys = written_by_the_store(args.store, args.strata, rng, scratch)
            print(f"  LevelDB reads what the store has left: {writes} writes, {keys} keys", flush=True)
        for is_killed in (False, True) if hasattr(signal, "SIGKILL") else (False,):
            with tempfile.TemporaryDirectory() as scratch:
                tables, keys = read_by_the_store(args.store, rng, scratch, is_killed)
                how = "killed" if is_killed else "closed"
                print(f"  the store reads what LevelDB has left, {how}: {tables} tables, {keys} keys", flush=True)
    except BaseException:
        print(f"store: failed with seed {args.seed}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
