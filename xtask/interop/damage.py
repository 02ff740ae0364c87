#!/usr/bin/env python3
"""Damaged logs: what `strata` recovers is never less than what the real LevelDB recovers.

    python damage.py --strata PATH [--seed N] [--count N]

A log of several blocks is cut, has bits inverted and ranges zeroed, and has zeros and rubbish
appended. LevelDB opens a directory with the damaged log, by which it turns what it recovers into a
table; `strata` recovers the same directory. Every entry of LevelDB's table must be in ours, every
entry of ours must have been written, and LevelDB must show of our tables what those entries give.
`--salvage` must find at least what the default finds.
"""
import argparse
import faulthandler
import os
import random
import shutil
import sys
import tempfile
import time

from common import Recorder, contents_of, logs_of, opened_copy, outcome_of
from strata import DROPPED, RECOVERED, Strata, given_to_leveldb

BLOCK = 32768


def write_base(path, rng):
    """A log of about six blocks: short and long records, keys overwritten and deleted, batches."""
    book = Recorder(path, write_buffer_size=64 << 20)
    while os.path.getsize(os.path.join(path, logs_of(path)[0])) < 6 * BLOCK:
        operations = []
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            number = len(book.writes) + len(operations) + 1
            key = b"key%04d" % rng.randrange(600)
            size = rng.choice([0, 20, 20, 80, 300]) if rng.random() < 0.995 else rng.randint(10_000, 50_000)
            operations.append((key, None if rng.random() < 0.1 else b"%06d" % number + rng.randbytes(size)))
        book.batch(operations)
    book.close()
    return book.writes


def cut(log, rng):
    del log[rng.randrange(len(log)):]


def flip(log, rng):
    for _ in range(rng.choice([1, 1, 2, 5])):
        log[rng.randrange(len(log))] ^= 1 << rng.randrange(8)


def zero(log, rng):
    at = rng.randrange(len(log))
    size = min(rng.choice([1, 7, 100, 5000, BLOCK, 2 * BLOCK]), len(log) - at)
    log[at:at + size] = bytes(size)


def zero_block(log, rng):
    at = rng.randrange(len(log) // BLOCK) * BLOCK
    log[at:at + BLOCK] = bytes(BLOCK)


def append_zeros(log, rng):
    log += bytes(rng.choice([1, 6, 7, 8, 1000, BLOCK, 40_000]))


def append_rubbish(log, rng):
    log += rng.randbytes(rng.choice([1, 6, 7, 8, 1000, BLOCK, 40_000]))


def cut_and_flip(log, rng):
    cut(log, rng)
    if log:
        flip(log, rng)


KINDS = [cut, flip, flip, zero, zero_block, append_zeros, append_rubbish, cut_and_flip]


def recovered_by_leveldb(strata, path):
    """Every entry that LevelDB recovers, tombstones and older versions too: it flushes them as it opens."""
    with opened_copy(path) as db:
        shown = list(db)
        entries = strata.dump_tables(db.name)
    assert dict(shown) == outcome_of(sorted(entries)), "LevelDB's own tables dump as something else"
    return entries


def recovered_by_strata(strata, path, out, *options):
    """Every entry that `strata` recovers, after LevelDB has agreed on what the tables show."""
    status, report = strata.recover_logs(path, out, *options, statuses=(RECOVERED, DROPPED))
    entries = strata.dump_tables(out)
    assert len(entries) == report["entries"]
    if entries:
        with given_to_leveldb(out, out + "-db") as db:
            assert dict(db) == outcome_of(sorted(entries)), "LevelDB shows something else of our tables"
    return status, set(entries)


def check_damage(strata, path, written, scratch):
    """Recover the damaged directory with LevelDB, and with us in both modes."""
    before = contents_of(path)
    theirs = set(recovered_by_leveldb(strata, path))
    status, ours = recovered_by_strata(strata, path, os.path.join(scratch, "ours"))
    _, salvaged = recovered_by_strata(strata, path, os.path.join(scratch, "salvage"), "--salvage")
    assert contents_of(path) == before, "the input was changed"
    assert theirs <= ours, f"LevelDB recovers {len(theirs - ours)} entries that recover does not"
    assert ours <= salvaged, f"recover finds {len(ours - salvaged)} entries that --salvage does not"
    assert salvaged <= written, f"{len(salvaged - written)} entries were never written"
    return status, len(theirs), len(ours), len(salvaged)


def damaged_copy(base, target, damage, rng):
    """A copy of the directory with its log damaged."""
    shutil.copytree(base, target)
    path = os.path.join(target, logs_of(target)[0])
    with open(path, "rb") as file:
        log = bytearray(file.read())
    damage(log, rng)
    with open(path, "wb") as file:
        file.write(log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", required=True, help="the program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=64, help="how many damaged logs")
    args = parser.parse_args()
    # Ten times what it takes: LevelDB's binding can wait for itself, and a build should then fail, not hang.
    faulthandler.dump_traceback_later(600, exit=True)
    print(f"damage: seed {args.seed}", flush=True)
    strata, started, totals, reported = Strata(args.strata), time.monotonic(), [0, 0, 0], 0
    with tempfile.TemporaryDirectory() as top:
        base = os.path.join(top, "base")
        written = write_base(base, random.Random(args.seed))
        for number in range(args.count):
            damage = KINDS[number % len(KINDS)]
            with tempfile.TemporaryDirectory() as scratch:
                path = os.path.join(scratch, "damaged")
                damaged_copy(base, path, damage, random.Random(f"{args.seed}/{number}"))
                try:
                    status, *counts = check_damage(strata, path, set(written), scratch)
                except BaseException:
                    print(f"damage: failed at log {number}, {damage.__name__}, seed {args.seed}", file=sys.stderr)
                    raise
            totals = [total + count for total, count in zip(totals, counts)]
            reported += status == DROPPED
    print(f"  {args.count} damaged logs of {len(written)} writes, drops reported for {reported}; entries recovered: "
          f"LevelDB {totals[0]}, recover {totals[1]}, --salvage {totals[2]}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
