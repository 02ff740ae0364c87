#!/usr/bin/env python3
"""Make a small log with the real LevelDB, and list what LevelDB recovers from every small damage to it.

    python make_damage.py [OUT_DIR] [--check N]

The log holds a dozen batches, some with several operations, in one block. Each batch writes one key
that no other batch touches, so what LevelDB shows after opening tells which batches survived; the
script also makes sure that what is shown is exactly what those batches give.

OUT_DIR (crates/cli/tests/data/damage unless told) receives
  small.log      the log
  writes.tsv     every operation: sequence, put|del, hex key, hex value, number of its batch from 0
  outcomes.tsv   one line for every length the log can be cut to and for every bit of it:
                   truncate <length> <mask>        the log cut to that many bytes
                   flip <byte> <bit> <mask>        that bit inverted, bit 0 the lowest
                 where the mask in hex has bit n set if batch n survived, and is - if LevelDB refused
                 to open the directory

With --check N nothing is written: the command fails unless the log comes out as committed, and N lines
of outcomes.tsv picked at random.
"""
import argparse
import os
import random
import sys
import tempfile

import plyvel

from common import Recorder, outcome_of, visible_in, writes_as_tsv

HERE = os.path.dirname(os.path.abspath(__file__))
DAMAGE = os.path.join(HERE, "..", "..", "crates", "cli", "tests", "data", "damage")
LOG = "000003.log"

# Overwritten and deleted keys, an empty key, empty values, and bytes that are not text, in few bytes.
BATCHES = [
    [(b"b00", b"first"), (b"shared", b"from 0"), (b"gone", b"soon")],
    [(b"b01", b"")],
    [(b"b02", b"two"), (b"", b"the empty key"), (b"\x00\xff", b"\xff\x00")],
    [(b"b03", b"three")],
    [(b"shared", None), (b"b04", b"after a deletion")],
    [(b"b05", b"v" * 40)],
    [(b"b06", b"six"), (b"gone", None)],
    [(b"shared", b"from 7"), (b"shared", b"from 7 again"), (b"b07", b"")],
    [(b"b08", b"eight")],
    [(b"never written", None), (b"b09", b"nine")],
    [(b"", None), (b"b10", b"ten"), (b"shared", b"from 10")],
    [(b"b11", b"last")],
]
MARKS = [b"b%02d" % number for number in range(len(BATCHES))]


def make_log(path):
    """The directory with the log in it, and the writes with the numbers of their batches."""
    book, numbers = Recorder(path), []
    for number, batch in enumerate(BATCHES):
        book.batch(batch)
        numbers += [number] * len(batch)
    book.close()
    with open(os.path.join(path, LOG), "rb") as file:
        return file.read(), book.writes, numbers


def damages(log):
    """Every damage as the words that begin its line, and the log that it leaves."""
    for length in range(len(log) + 1):
        yield f"truncate {length}", log[:length]
    for at in range(len(log)):
        for bit in range(8):
            yield f"flip {at} {bit}", log[:at] + bytes([log[at] ^ (1 << bit)]) + log[at + 1:]


def survivors(shown):
    """The numbers of the batches that what is shown comes from, having made sure it comes from nothing else."""
    alive = [number for number, mark in enumerate(MARKS) if mark in shown]
    expected = outcome_of([(0, key, value) for number in alive for key, value in BATCHES[number]])
    assert shown == expected, f"LevelDB shows {shown}, the surviving batches give {expected}"
    return alive


def outcome(base, log):
    """The mask of the batches that LevelDB shows when the log in a copy of `base` is replaced by `log`."""
    with open(os.path.join(base, LOG), "wb") as file:
        file.write(log)
    try:
        shown = dict(visible_in(base))
    except plyvel.Error:
        return "-"
    return f"{sum(1 << number for number in survivors(shown)):x}"


def write_files(out, base, log, writes, numbers):
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "small.log"), "wb") as file:
        file.write(log)
    with open(os.path.join(out, "writes.tsv"), "w", encoding="ascii") as file:
        for line, number in zip(writes_as_tsv(writes).splitlines(), numbers):
            file.write(f"{line}\t{number}\n")
    with open(os.path.join(out, "outcomes.tsv"), "w", encoding="ascii") as file:
        for words, damaged in damages(log):
            file.write("\t".join(words.split() + [outcome(base, damaged)]) + "\n")


def check_files(out, base, log, count):
    with open(os.path.join(out, "small.log"), "rb") as file:
        if file.read() != log:
            sys.exit("damage: the committed small.log is not what make_damage.py makes")
    with open(os.path.join(out, "outcomes.tsv"), encoding="ascii") as file:
        kept = file.read().splitlines()
    every = list(damages(log))
    if len(every) != len(kept):
        sys.exit(f"damage: outcomes.tsv has {len(kept)} lines, and there are {len(every)} damages")
    picked = random.Random(count).sample(range(len(every)), min(count, len(every)))
    for (words, damaged), line in ((every[n], kept[n]) for n in sorted(picked)):
        expected = "\t".join(words.split() + [outcome(base, damaged)])
        if line != expected:
            sys.exit(f"damage: outcomes.tsv says {line!r}, LevelDB gives {expected!r}")
    return len(picked)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", default=DAMAGE)
    parser.add_argument("--check", type=int, metavar="N")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = os.path.join(scratch, "base")
        log, writes, numbers = make_log(base)
        if args.check is None:
            write_files(args.out, base, log, writes, numbers)
            print(f"damage: a log of {len(log)} bytes in {os.path.normpath(args.out)}")
        else:
            count = check_files(args.out, base, log, args.check)
            print(f"damage: small.log and {count} of its outcomes, as committed")


if __name__ == "__main__":
    main()
