#!/usr/bin/env python3
"""How fast `strata` reads, verifies and recovers, beside the real LevelDB, and in how much memory.

    python measure.py --strata PATH --folder DIR --out TSV [--megabytes N] [--log-entries N] [--rounds N]

DIR receives two databases that LevelDB writes, unless they are there from the last time:
  database   N megabytes of keys and values: keys of 16 to 24 bytes, values of 100 to 1000 of which half
             is noise, a tenth of the keys overwritten, flushed and compacted as LevelDB does it
  log        N entries of 97 bytes, all of them in one log, as of a database that was killed

Each contestant is a process of its own, on files that are in the page cache, and rounds go round robin:
what is compared was measured within one round. Its time is that of the whole process for `strata`, and
for LevelDB, which Python calls, that of the calls alone, so that Python's start counts for nobody; but
each pair that an iteration gives becomes two Python objects. Peak memory is what the kernel says of the
process, for LevelDB less what Python with `plyvel` takes at rest.
"""
import argparse
import collections
import contextlib
import ctypes
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

import plyvel

from common import files_of, logs_of, remove_traces, tables_of

COLUMNS = "row\tcontestant\tunit\tentries\tmedian\tmin\tmax\trounds"
MEGA = 1e6


def key_of(number):
    """16 to 24 bytes; numbers that follow each other lie far apart."""
    return b"%016x" % (number * 0x9E3779B97F4A7C15 % 2**64) + b"k" * (number % 9)


def write_database(path, megabytes):
    """Pairs in random order until they have so many bytes; every tenth key again, newer."""
    rng, size, number = random.Random("measure"), 0, 0
    with contextlib.closing(plyvel.DB(path, create_if_missing=True)) as db:
        while size < megabytes * MEGA:
            with db.write_batch() as batch:
                for _ in range(100):
                    at = rng.randrange(number) if number and rng.random() < 0.1 else number
                    number += at == number
                    half = rng.randrange(50, 501)
                    key, value = key_of(at), rng.randbytes(half) + b"." * half
                    batch.put(key, value)
                    size += len(key) + len(value)


def write_log(path, entries):
    """Entries of a 16-byte key and an 81-byte value, each in a batch of its own: 119 bytes of log."""
    rng = random.Random("log")
    with contextlib.closing(plyvel.DB(path, create_if_missing=True, write_buffer_size=1 << 30)) as db:
        for _ in range(entries):
            db.put(b"%016d" % rng.randrange(10**15), rng.randbytes(41) + b"." * 40)
    remove_traces(path)
    assert len(logs_of(path)) == 1 and not tables_of(path), f"{files_of(path)} is not one log"


def made(path, make, size):
    """The directory, made anew unless it was made whole with this size."""
    mark = f"{path}.made"
    with contextlib.suppress(FileNotFoundError), open(mark, encoding="ascii") as file:
        if file.read() == str(size):
            return path
    shutil.rmtree(path, ignore_errors=True)
    make(path, size)
    with open(mark, "w", encoding="ascii") as file:
        file.write(str(size))
    return path


def bytes_in(path):
    return sum(os.path.getsize(os.path.join(path, name)) for name in files_of(path))


def read_into_cache(path):
    for name in files_of(path):
        with open(os.path.join(path, name), "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


# What LevelDB does, in a process of its own; each says how many seconds it took.


def open_and_iterate(path, verify):
    with contextlib.closing(plyvel.DB(path)) as db:
        # Nothing is kept, and no Python code runs for each pair.
        collections.deque(db.iterator(verify_checksums=verify, fill_cache=False), maxlen=0)


CHILDREN = {
    "rest": lambda path: None,
    "iterate": lambda path: open_and_iterate(path, False),
    "verify": lambda path: open_and_iterate(path, True),
    "open": lambda path: plyvel.DB(path).close(),
    "repair": plyvel.repair_db,
}


def child(words):
    """Do one thing and print the seconds."""
    what, path, *keys = words
    started = time.perf_counter()
    if what == "get":
        with contextlib.closing(plyvel.DB(path)) as db:
            assert db.get(keys[0].encode()) is not None
    else:
        CHILDREN[what](path)
    print(time.perf_counter() - started)


def adopt_orphans():
    """Become the parent of processes whose own parent has ended (Linux)."""
    set_child_subreaper = 36
    failed = ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)
    assert failed == 0, os.strerror(ctypes.get_errno())


def measured(command, scratch, own_time):
    """The seconds and the peak bytes of a command; its own seconds, if it prints them.

    The kernel counts towards a process's peak what it was forked from, here a Python of 20 MB. So a shell
    of 1 MB forks, and ends; the orphan becomes this process's child, and the command once it is told to.
    """
    pid_file, output, go = (os.path.join(scratch, name) for name in ("pid", "output", "go"))
    os.mkfifo(go)
    script = 'pid=$1 out=$2 go=$3; shift 3; (read _ < "$go"; exec "$@") > "$out" & echo $! > "$pid"'
    answers = output if own_time else "/dev/null"
    subprocess.run(["sh", "-c", script, "sh", pid_file, answers, go, *command], check=True)
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    with open(go, "w", encoding="ascii") as file:
        file.write("\n")
        started = time.perf_counter()
    _, status, usage = os.wait4(pid, 0)
    os.remove(go)
    seconds, code = time.perf_counter() - started, os.waitstatus_to_exitcode(status)
    assert code == 0, f"{command} ended with {code}"
    if own_time:
        with open(output, encoding="ascii") as file:
            seconds = float(file.read())
    return seconds, usage.ru_maxrss * 1024


def lines_of_dump(strata, path):
    """How many entries a database has, older versions too."""
    with subprocess.Popen([strata, "dump", path, "--keys-only"], stdout=subprocess.PIPE) as process:
        count = sum(part.count(b"\n") for part in iter(lambda: process.stdout.read(1 << 20), b""))
    assert process.returncode == 0
    return count


class Contestant:
    """One command on one database."""

    def __init__(self, row, name, source, command, *, copies=False, moves_manifest=False):
        self.row, self.name, self.source, self.command = row, name, source, command
        self.copies, self.moves_manifest = copies, moves_manifest
        self.seconds, self.peaks = [], []

    def run(self, scratch):
        """Measure once, on a copy if LevelDB would change what it opens."""
        source, out = self.source, os.path.join(scratch, "out")
        if self.copies:
            source = os.path.join(scratch, "copy")
            shutil.copytree(self.source, source)
            if self.moves_manifest:
                for name in files_of(source):
                    if name == "CURRENT" or name.startswith("MANIFEST-"):
                        os.remove(os.path.join(source, name))
        command = [word.format(source=source, out=out) for word in self.command]
        seconds, peak = measured(command, scratch, own_time=command[0] == sys.executable)
        self.seconds.append(seconds)
        self.peaks.append(peak)
        for path in (out, os.path.join(scratch, "copy")):
            shutil.rmtree(path, ignore_errors=True)


def contestants(strata, database, log):
    """Who is measured on which database."""
    ask = [sys.executable, "-B", os.path.abspath(__file__), "--child"]
    key = key_of(1).decode()
    with contextlib.closing(plyvel.DB(database)) as db, db.iterator(include_value=False) as keys:
        first = next(keys).decode()
    remove_traces(database)
    all_of_them = [
        Contestant("rest", "plyvel", database, [*ask, "rest", "{source}"]),
    ]
    for name, options in (("text", []), ("json", ["--json"]), ("csv", ["--csv"])):
        for row, source in (("database", database), ("log", log)):
            all_of_them.append(Contestant(f"{row}/dump-{name}", "strata", source, [strata, "dump", "{source}", *options]))
    for row, source in (("database", database), ("log", log)):
        all_of_them += [
            Contestant(f"{row}/verify", "strata", source, [strata, "verify", "{source}"]),
            Contestant(f"{row}/recover", "strata", source, [strata, "recover", "{source}", "--out", "{out}"]),
        ]
    all_of_them += [
        Contestant("log/logs-only", "strata", log, [strata, "recover", "{source}", "--out", "{out}", "--logs-only"]),
        Contestant("database/get", "strata", database, [strata, "get", "{source}", key]),
        Contestant("database/get-first", "strata", database, [strata, "get", "{source}", first]),
        Contestant("database/get", "plyvel", database, [*ask, "get", "{source}", key], copies=True),
        Contestant("database/iterate", "plyvel", database, [*ask, "iterate", "{source}"], copies=True),
        Contestant("database/verify", "plyvel", database, [*ask, "verify", "{source}"], copies=True),
        Contestant("database/recover", "plyvel", database, [*ask, "repair", "{source}"], copies=True, moves_manifest=True),
        Contestant("log/recover", "plyvel", log, [*ask, "open", "{source}"], copies=True),
    ]
    return all_of_them


def lines_of(contestant, entries, size, at_rest):
    """The lines of the record: seconds, megabytes a second of the files read, megabytes at the peak."""
    def line(unit, figures):
        shown = [statistics.median(figures), min(figures), max(figures)]
        shown = "\t".join(f"{figure:.3f}" for figure in shown)
        return f"{contestant.row}\t{contestant.name}\t{unit}\t{entries}\t{shown}\t{len(figures)}"

    rest = at_rest if contestant.name == "plyvel" and contestant.row != "rest" else 0
    lines = [line("s", contestant.seconds), line("MB", [(peak - rest) / MEGA for peak in contestant.peaks])]
    if contestant.row.split("/")[-1].startswith(("dump", "verify", "recover", "iterate", "logs-only")):
        lines.insert(1, line("MB/s", [size / MEGA / seconds for seconds in contestant.seconds]))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strata", help="the program")
    parser.add_argument("--folder", help="where the databases are made")
    parser.add_argument("--out", help="the record")
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--log-entries", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", nargs="+", help="only do one thing with LevelDB, and say the seconds")
    args = parser.parse_args()
    if args.child:
        child(args.child)
        return
    adopt_orphans()
    os.makedirs(args.folder, exist_ok=True)
    database = made(os.path.join(args.folder, "database"), write_database, args.megabytes)
    log = made(os.path.join(args.folder, "log"), write_log, args.log_entries)
    everyone = contestants(args.strata, database, log)
    scratch = os.path.join(args.folder, "scratch")
    entries = {}
    for row, path in (("database", database), ("log", log)):
        entries[row] = lines_of_dump(args.strata, path)
    for number in range(args.rounds):
        for contestant in everyone:
            read_into_cache(contestant.source)
            shutil.rmtree(scratch, ignore_errors=True)
            os.makedirs(scratch)
            contestant.run(scratch)
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    at_rest = statistics.median(everyone[0].peaks)
    sizes = {"database": bytes_in(database), "log": bytes_in(log)}
    with open(args.out, "w", encoding="ascii") as file:
        for row, path in (("database", database), ("log", log)):
            file.write(f"# {row}: {sizes[row]} bytes in {len(tables_of(path))} tables and {len(logs_of(path))} logs, "
                       f"{entries[row]} entries; MB/s are of these bytes\n")
        file.write(COLUMNS + "\n")
        for contestant in everyone:
            row = contestant.row.split("/")[0]
            for line in lines_of(contestant, entries.get(row, 0), sizes.get(row, 0), at_rest):
                file.write(line + "\n")
    with open(args.out, encoding="ascii") as file:
        print(file.read(), end="")


if __name__ == "__main__":
    main()
