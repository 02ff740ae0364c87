#!/usr/bin/env python3
"""Make the small LevelDB log that the README and `cargo xtask tour` use, with the real LevelDB.

    python make_sample.py [OUT_DIR] [--check]

It is a week in the books of a fruit stall: the key is a fruit and the value what is left of it. The
stall opens with one delivery, sells by the kilo, is supplied again twice, and gives up two fruits.
Keys and values are plain text, so that a dump of it can be read; nothing is flushed, so everything
ever written is still in the log.

OUT_DIR (crates/cli/tests/data/sample unless told) receives
  000003.log, CURRENT, MANIFEST-000002   the directory as LevelDB left it
  writes.tsv                             every operation: sequence, put|del, hex key, hex value

With --check nothing is written: the command fails unless OUT_DIR is byte for byte what would be made.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile

from common import Recorder, outcome_of, same_bytes, visible_in, writes_as_tsv

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "..", "..", "crates", "cli", "tests", "data", "sample")

OPENING = {
    "apple": 40, "apricot": 12, "banana": 35, "blackberry": 6, "blueberry": 8, "cherry": 15,
    "clementine": 20, "durian": 4, "fig": 7, "grape": 25, "grapefruit": 18, "kiwi": 14, "lemon": 16,
    "lime": 9, "mango": 11, "melon": 22, "nectarine": 13, "orange": 38, "peach": 17, "pear": 28,
    "plum": 19, "quince": 5, "raspberry": 6, "strawberry": 10,
}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
SALES_A_DAY = 26
DELIVERIES = {"Wednesday": ["apple", "banana", "orange", "pear"], "Friday": ["apple", "cherry", "grape", "strawberry"]}
GIVEN_UP = {"Tuesday": "durian", "Saturday": "quince"}


def shown(kilos):
    return f"{kilos} kg".encode()


def sell(stock, rng):
    """One sale: a fruit that is left, and how much of it remains. Apples sell best."""
    fruit = "apple" if rng.random() < 0.12 else rng.choice(sorted(f for f in stock if stock[f] > 0))
    stock[fruit] = max(stock[fruit] - rng.randint(1, 3), 0)
    return fruit


def write_week(book, rng):
    stock = dict(OPENING)
    book.batch([(fruit.encode(), shown(kilos)) for fruit, kilos in stock.items()])
    for day in DAYS:
        if day in DELIVERIES:
            for fruit in DELIVERIES[day]:
                stock[fruit] += 30
            book.batch([(fruit.encode(), shown(stock[fruit])) for fruit in DELIVERIES[day]])
        if day in GIVEN_UP:
            del stock[GIVEN_UP[day]]
            book.delete(GIVEN_UP[day].encode())
        for _ in range(SALES_A_DAY):
            fruit = sell(stock, rng)
            book.put(fruit.encode(), shown(stock[fruit]))


def make(path):
    """Make the directory and return how many writes it holds."""
    book = Recorder(path)
    write_week(book, random.Random("a week at the fruit stall"))
    book.close()
    assert dict(visible_in(path)) == outcome_of(book.writes)
    with open(os.path.join(path, "writes.tsv"), "w", encoding="ascii") as file:
        file.write(writes_as_tsv(book.writes))
    return len(book.writes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", default=SAMPLE)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = os.path.join(scratch, "sample")
        count = make(made)
        if not args.check:
            shutil.rmtree(args.out, ignore_errors=True)
            shutil.copytree(made, args.out)
        elif not same_bytes(made, args.out):
            sys.exit("sample: the committed log is not what make_sample.py makes")
    print(f"sample: {count} writes" + (", as committed" if args.check else f" in {os.path.normpath(args.out)}"))


if __name__ == "__main__":
    main()
