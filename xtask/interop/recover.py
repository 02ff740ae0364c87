#!/usr/bin/env python3
"""What `strata recover` gives is a database that the real LevelDB opens as it is.

    python recover.py --strata PATH [--seed N] [--puts N] [--damaged N]

LevelDB writes databases of several shapes. Of each, and of each without its manifest, `strata recover`
makes another, and LevelDB must read from that, key by key, what it reads from the original: at once,
through a second open, and after a compaction of everything; no repair in between.

Two kinds of database are made at a larger scale. One has many versions of each key in many tables, and
loses its manifest: LevelDB's own repair then answers lookups from the table of the highest number, ours
must give the newest version. The other is closed amid a compaction, which leaves half a table.

Of damaged databases, ours must give every entry that LevelDB's repair gives, none that was not written,
and a database that opens.
"""
import argparse
import contextlib
import faulthandler
import os
import random
import shutil
import sys
import tempfile
import time

import plyvel

from common import Recorder, contents_of, files_of, logs_of, outcome_of, tables_of, visible_in
from interop import SHAPES, check_reads
from strata import DROPPED, FIRST_REVERSED, LAST_REVERSED, RECOVERED, Strata

# The last eight bytes of every table.
MAGIC = bytes.fromhex("57fb808b247547db")

# Tables of recovered databases are cut at this size; a block and what is written last may follow.
LARGEST_TABLE = (2 << 20) + (1 << 18)

# How often a database is written until one is closed amid a compaction; one in four is.
MOST_CLOSES = 200


def deep(book, rng):
    """Several levels: far more than the write buffer, overwritten and deleted, opened three times."""
    for generation in range(3):
        if generation:
            book.reopen()
        for number in range(6000):
            key = b"key%06d" % rng.randrange(4000)
            book.batch([(key, None if rng.random() < 0.1 else b"%d-%d-" % (generation, number) + rng.randbytes(60))])


DEEP = (deep, {"write_buffer_size": 64 << 10, "max_file_size": 1 << 20}, {})

# Each way to recover: the options, and those that LevelDB is opened with.
WAYS = [
    ([], {}),
    (["--compression", "none", "--bloom-bits", "10"], {"bloom_filter_bits": 10}),
    (["--compression", "snappy", "--write-buffer-size", "65536", "--all-versions", "--salvage"], {}),
]


def check_files(out, label):
    """A whole database and nothing else: CURRENT, the manifest it names, and tables of the right size."""
    with open(os.path.join(out, "CURRENT"), encoding="ascii") as file:
        manifest = file.read().removesuffix("\n")
    others = set(files_of(out)) - set(tables_of(out)) - {"CURRENT", manifest}
    assert manifest.startswith("MANIFEST-") and not others, f"{label}: {files_of(out)}"
    for name in tables_of(out):
        size = os.path.getsize(os.path.join(out, name))
        assert size <= LARGEST_TABLE, f"{label}: {name} is of {size} bytes"


def check_opens(out, expected, label, **options):
    """LevelDB opens a database as it is, again, compacts it, writes to it, and shows these pairs throughout."""
    names = set(tables_of(out))
    with contextlib.closing(plyvel.DB(out, paranoid_checks=True, **options)) as db:
        check_reads(db, expected, f"{label}, opened")
    assert names <= set(tables_of(out)), f"{label}: LevelDB removed {names - set(tables_of(out))}"
    with contextlib.closing(plyvel.DB(out, paranoid_checks=True, **options)) as db:
        assert list(db.iterator(verify_checksums=True)) == expected, f"{label}: opened again"
        bounds = {"start": FIRST_REVERSED, "stop": LAST_REVERSED} if "comparator" in options else {}
        db.compact_range(**bounds)
        assert list(db.iterator(verify_checksums=True)) == expected, f"{label}: compacted"
        # New writes are newer than all there is: the last sequence number is right, too.
        for key, _ in expected[:50]:
            db.put(key, b"newer")
    with contextlib.closing(plyvel.DB(out, paranoid_checks=True, **options)) as db:
        for key, _ in expected[:50]:
            assert db.get(key) == b"newer", f"{label}: a new value of {key!r} is not the newest"
    assert not os.path.isdir(os.path.join(out, "lost")), label


def without_manifest(path, target):
    """A copy of the directory that lost what names its files."""
    shutil.copytree(path, target)
    for name in files_of(target):
        if name == "CURRENT" or name.startswith("MANIFEST-"):
            os.remove(os.path.join(target, name))


def check_shape(strata, shape, seed, scratch):
    """Write a database of this shape, and recover it with and without its manifest, in every way."""
    write, writing, reading = shape
    rng = random.Random(f"{seed}/{write.__name__}/{len(reading)}/recover")
    book = Recorder(os.path.join(scratch, "original"), **writing, **reading)
    write(book, rng)
    book.close()
    expected = visible_in(book.path, **reading)
    shown = [(key, value) for _, key, value in strata.dump(book.path, "--visible")]
    assert shown == expected, "dump --visible shows something else than LevelDB"
    bare = os.path.join(scratch, "bare")
    without_manifest(book.path, bare)
    order = ["--comparator", "reverse-bytewise"] if reading else []
    # Of half a table, only a manifest says that nothing is missing with it.
    bare_statuses = (RECOVERED, DROPPED) if half_written(bare) else (RECOVERED,)
    for source, ordering, statuses in ((book.path, [], (RECOVERED,)), (bare, order, bare_statuses)):
        for number, (options, opening) in enumerate(WAYS):
            label = f"{os.path.basename(source)} {' '.join(options) or 'default'}"
            out = os.path.join(scratch, f"{os.path.basename(source)}-{number}")
            before = contents_of(source)
            strata.rebuild(source, out, *options, *ordering, statuses=statuses)
            assert contents_of(source) == before, f"{label}: the input was changed"
            check_files(out, label)
            if "--all-versions" not in options:
                entries = strata.dump(out)
                assert len(entries) == len(expected), f"{label}: {len(entries)} entries"
            check_opens(out, expected, label, **opening, **reading)
    return len(book.writes), len(expected)


def check_newest_wins(strata, seed, puts, scratch):
    """Many versions of each key in many tables and no manifest: every key gives its newest value."""
    rng = random.Random(f"{seed}/newest")
    path, newest = os.path.join(scratch, "many"), {}
    with contextlib.closing(plyvel.DB(path, create_if_missing=True, write_buffer_size=256 << 10)) as db:
        for number in range(puts):
            key = b"key%05d" % rng.randrange(40_000)
            newest[key] = b"%d" % number + rng.randbytes(rng.randrange(200))
            db.put(key, newest[key])
    repaired, bare, out = (os.path.join(scratch, name) for name in ("repaired", "bare", "out"))
    without_manifest(path, repaired)
    plyvel.repair_db(repaired)
    with contextlib.closing(plyvel.DB(repaired)) as db:
        stale = sum(db.get(key) != value for key, value in newest.items())
    without_manifest(path, bare)
    strata.rebuild(bare, out, statuses=(RECOVERED, DROPPED) if half_written(bare) else (RECOVERED,))
    check_files(out, "no manifest")
    check_opens(out, sorted(newest.items()), "no manifest")
    return stale, len(tables_of(path))


def half_written(path):
    """The tables in a directory that have no footer."""
    names = []
    for name in tables_of(path):
        with open(os.path.join(path, name), "rb") as file:
            if not file.read().endswith(MAGIC):
                names.append(name)
    return names


def closed_amid_a_compaction(path, seed):
    """Write and close until half a table is left; the names of such tables, and how often it took."""
    for attempt in range(1, MOST_CLOSES + 1):
        rng = random.Random(f"{seed}/closed/{attempt}")
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.closing(plyvel.DB(path, create_if_missing=True, write_buffer_size=1 << 20)) as db:
            for _ in range(rng.randrange(24_000, 32_000)):
                db.put(b"%08d" % rng.randrange(10**7), rng.randbytes(200))
        if half_written(path):
            return half_written(path), attempt
    raise AssertionError(f"none of {MOST_CLOSES} databases was closed amid a compaction")


def check_closed_amid_a_compaction(strata, seed, scratch):
    """Half a table is left of a healthy database: nothing is missing, and it is named."""
    path, out = os.path.join(scratch, "closed"), os.path.join(scratch, "out")
    left, attempts = closed_amid_a_compaction(path, seed)
    expected = visible_in(path)
    done = strata.run("dump", path, "--visible", "--json")
    assert done.returncode == RECOVERED, done.stderr
    shown = [entry[1:] for entry in map(strata.entry, done.stdout.splitlines())]
    assert shown == expected, "dump shows something else than LevelDB"
    assert strata.run("verify", path).returncode == RECOVERED
    key, value = expected[len(expected) // 2]
    assert value.hex() in strata.run("get", path, key.hex(), "--hex").stdout
    for name in left:
        assert name in done.stderr, f"{name} is not named in {done.stderr!r}"
    strata.rebuild(path, out)
    check_opens(out, expected, "closed amid a compaction")
    return attempts, len(expected)


def flip(content, rng):
    for _ in range(rng.choice([1, 1, 3])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def zero_sector(content, rng):
    at = rng.randrange(len(content)) // 512 * 512
    content[at:at + 512] = bytes(min(512, len(content) - at))


def cut(content, rng):
    del content[rng.randrange(len(content)):]


def insert(content, rng):
    at = rng.randrange(len(content))
    content[at:at] = rng.randbytes(rng.choice([1, 64, 512]))


def swap(content, rng):
    """Two pages change places."""
    pages = max(len(content) // 4096, 1)
    one, other = (rng.randrange(pages) * 4096 for _ in range(2))
    first, second = content[one:one + 4096], content[other:other + 4096]
    if len(first) == len(second):
        content[one:one + 4096], content[other:other + 4096] = second, first


KINDS = [flip, zero_sector, cut, insert, swap]


def damaged_copy(base, target, rng, with_logs):
    """A copy of the directory with one to three of its files damaged or gone; what was done."""
    shutil.copytree(base, target)
    done = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        names = [name for name in files_of(target) if with_logs or not name.endswith(".log")]
        name = rng.choice(names)
        if rng.random() < 0.1:
            os.remove(os.path.join(target, name))
            done.append(f"{name} removed")
            continue
        with open(os.path.join(target, name), "rb") as file:
            content = bytearray(file.read())
        kind = rng.choice(KINDS)
        if content:
            kind(content, rng)
        with open(os.path.join(target, name), "wb") as file:
            file.write(content)
        done.append(f"{kind.__name__} {name}")
    return ", ".join(done)


def repaired_by_leveldb(strata, path, target, **options):
    """Every entry that LevelDB's repair finds: it leaves them in tables."""
    shutil.copytree(path, target)
    plyvel.repair_db(target, **options)
    for name in tables_of(target):
        # It leaves one of a log that holds nothing.
        if os.path.getsize(os.path.join(target, name)) == 0:
            os.remove(os.path.join(target, name))
    return set(strata.dump_tables(target))


def check_damage(strata, path, written, with_logs, scratch):
    """All that LevelDB's repair gives is given, nothing else than was written, and the result opens.

    Without `paranoid_checks`, and of logs always, LevelDB takes what no checksum proves: of that, what
    was really written must come with --ignore-checksums.
    """
    theirs = repaired_by_leveldb(strata, path, os.path.join(scratch, "strict"), paranoid_checks=True)
    unproved = repaired_by_leveldb(strata, path, os.path.join(scratch, "lax")) & written
    every = ["--all-files", "--salvage", "--all-versions"]
    ours, all_ours = (os.path.join(scratch, name) for name in ("ours", "all"))
    status, _ = strata.rebuild(path, ours, *every, statuses=(RECOVERED, DROPPED, 1))
    if status == 1:
        assert not theirs, f"LevelDB recovers {len(theirs)} entries, and we fail"
        return status, 0, 0
    entries = set(strata.dump(ours))
    assert entries <= written, f"{len(entries - written)} entries were never written"
    if not with_logs:
        assert theirs <= entries, f"LevelDB's repair gives {len(theirs - entries)} entries that recover does not"
    strata.rebuild(path, all_ours, *every, "--ignore-checksums", statuses=(RECOVERED, DROPPED))
    lax = set(strata.dump(all_ours))
    assert unproved <= lax, f"LevelDB's repair gives {len(unproved - lax)} entries that --ignore-checksums does not"
    expected = sorted(outcome_of(sorted(entries)).items())
    check_opens(ours, expected, "damaged, all versions")
    newest = os.path.join(scratch, "newest")
    strata.rebuild(path, newest, "--all-files", "--salvage", statuses=(RECOVERED, DROPPED))
    check_opens(newest, expected, "damaged")
    return status, len(theirs), len(entries)


def check_damages(strata, seed, count):
    """Damage copies of a database of several tables and a log."""
    totals, reported = [0, 0], 0
    with tempfile.TemporaryDirectory() as top:
        book = Recorder(os.path.join(top, "base"), write_buffer_size=64 << 10)
        rng = random.Random(f"{seed}/damaged")
        for number in range(5000):
            key = b"key%04d" % rng.randrange(1500)
            book.batch([(key, None if rng.random() < 0.1 else b"%05d" % number + rng.randbytes(rng.randrange(120)))])
        book.close()
        assert tables_of(book.path) and logs_of(book.path), files_of(book.path)
        for number in range(count):
            rng = random.Random(f"{seed}/damaged/{number}")
            with tempfile.TemporaryDirectory() as scratch:
                path, with_logs = os.path.join(scratch, "damaged"), number % 2 == 1
                what = damaged_copy(book.path, path, rng, with_logs)
                try:
                    status, *counts = check_damage(strata, path, set(book.writes), with_logs, scratch)
                except BaseException:
                    print(f"recover: failed at damage {number}, {what}, seed {seed}", file=sys.stderr)
                    raise
            totals = [total + figure for total, figure in zip(totals, counts)]
            reported += status == DROPPED
    return reported, totals


def timed(label, check):
    """Run a check in a directory of its own, and print what it found."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            found = check(scratch)
    except BaseException:
        print(f"recover: failed at {label}", file=sys.stderr)
        raise
    print(f"  {label}: {found}: {time.monotonic() - started:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", required=True, help="the program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--puts", type=int, default=300_000, help="how many puts the database of many versions has")
    parser.add_argument("--damaged", type=int, default=40, help="how many damaged databases")
    args = parser.parse_args()
    # LevelDB's binding can wait for itself, and a build should then fail, not hang.
    faulthandler.dump_traceback_later(900, exit=True)
    print(f"recover: seed {args.seed}", flush=True)
    strata = Strata(args.strata)
    for shape in [*SHAPES, DEEP]:
        name = shape[0].__name__ + (" reverse" if shape[2] else "")

        def one_shape(scratch, shape=shape):
            written, shown = check_shape(strata, shape, args.seed, scratch)
            return f"{written} writes, {shown} keys, with and without a manifest"
        timed(name, one_shape)

    def newest(scratch):
        stale, tables = check_newest_wins(strata, args.seed, args.puts, scratch)
        return f"{args.puts} puts in {tables} tables; LevelDB's repair answers {stale} keys with an old value, ours none"
    timed("no manifest", newest)

    def closed(scratch):
        attempts, shown = check_closed_amid_a_compaction(strata, args.seed, scratch)
        return f"at the {attempts}. try, {shown} keys"
    timed("closed amid a compaction", closed)

    def damages(_):
        reported, totals = check_damages(strata, args.seed, args.damaged)
        return f"{args.damaged} databases, drops reported for {reported}; LevelDB {totals[0]} entries, ours {totals[1]}"
    timed("damaged", damages)


if __name__ == "__main__":
    main()
