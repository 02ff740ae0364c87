"""The `strata` program as the interop scripts call it, and its tables as LevelDB is given them."""
import contextlib
import json
import os
import shutil
import subprocess

import plyvel

from common import files_of, tables_of

# The exit statuses of `recover`.
RECOVERED, DROPPED = 0, 3

# Bounds around all keys in reversed order, the only order of ours that is written in Python. No bounds
# at all will not do: plyvel takes them for two empty keys.
FIRST_REVERSED, LAST_REVERSED = b"\xff" * 64, b""


class Strata:
    """Runs the program: every call ends in its output, or in a failure that shows the command."""

    def __init__(self, program):
        self.program = program

    def run(self, *words):
        """The finished process, whatever its status."""
        return subprocess.run([self.program, *words], capture_output=True, text=True, timeout=120, check=False)

    def expect(self, statuses, *words):
        """The status and the output of a command that must end with one of the statuses."""
        done = self.run(*words)
        assert done.returncode in statuses, (
            f"strata {' '.join(words)}\nended with status {done.returncode}, expected {statuses}:\n{done.stderr}"
        )
        return done.returncode, done.stdout

    def rebuild(self, source, out, *options, statuses=(RECOVERED,)):
        """Recover `source` into a new database at `out`: the status, and the report as an object."""
        status, output = self.expect(statuses, "recover", source, "--out", out, "--json", *options)
        return status, json.loads(output) if output else None

    def recover_logs(self, source, out, *options, statuses=(RECOVERED,)):
        """Turn the logs of `source` into tables in `out`: the status, and the report as an object."""
        status, report = self.rebuild(source, out, "--logs-only", *options, statuses=statuses)
        assert (status == DROPPED) == bool(report["dropped"]), f"status {status} with {report['dropped']}"
        check_tables(report, out)
        return status, report

    def dump(self, source, *options):
        """Every entry of a log, a directory or a table, as (sequence, key, value) in the order listed."""
        _, output = self.expect((RECOVERED, DROPPED), "dump", source, "--json", *options)
        return [entry_of(json.loads(line)) for line in output.splitlines()]

    def entry(self, line):
        """A line of `dump --json` as (sequence, key, value)."""
        return entry_of(json.loads(line))

    def dump_tables(self, directory):
        """Every entry of every table in a directory."""
        return [entry for name in tables_of(directory) for entry in self.dump(os.path.join(directory, name))]


def entry_of(line):
    """One line of `dump --json` as (sequence, key, value), a tombstone's value being None."""
    key = bytes.fromhex(line["key"])
    assert line["key"] == key.hex(), "hex is in lower case"
    if line["type"] == "del":
        assert not line.get("value"), f"a tombstone with a value: {line}"
        return line["sequence"], key, None
    assert line["type"] == "put", f"neither put nor del: {line}"
    return line["sequence"], key, bytes.fromhex(line["value"])


def check_tables(report, out):
    """The tables reported are the files in `out`, all of them, with the sizes and the entries reported."""
    files = sorted(os.path.basename(table["file"]) for table in report["tables"])
    assert files == files_of(out), f"reported {files}, found {files_of(out)}"
    for table in report["tables"]:
        size = os.path.getsize(os.path.join(out, os.path.basename(table["file"])))
        assert table["bytes"] == size, f"{table} is of {size} bytes"
    held = sum(table["entries"] for table in report["tables"])
    assert held == report["entries"], f"the tables hold {held} entries, of {report['entries']} recovered"


@contextlib.contextmanager
def given_to_leveldb(tables, target, original=None, **options):
    """LevelDB with the tables in `tables`, after those that the directory `original` already had.

    The directory is made by `repair_db`: LevelDB takes a table that its metadata does not name for
    rubbish, and opening a directory of nothing but tables deletes them. A table with a higher number
    counts as newer, so the recovered ones are numbered after the original's.

    Several tables may make LevelDB compact them in a thread of its own. Under a comparator written in
    Python that thread needs the interpreter, which plyvel keeps while it closes an iterator or the
    database and waits for the thread: they would wait for each other for ever. So then all is compacted
    first, a call during which plyvel lets the interpreter go, and nothing is left for that thread.
    """
    os.makedirs(target)
    number = 0
    for name in tables_of(original) if original else []:
        shutil.copy(os.path.join(original, name), target)
        number = int(name.split(".")[0])
    for name in tables_of(tables):
        number += 1
        shutil.copy(os.path.join(tables, name), os.path.join(target, f"{number:06}.ldb"))
    plyvel.repair_db(target, paranoid_checks=True, **options)
    lost = os.path.join(target, "lost")
    assert not os.path.isdir(lost) or not tables_of(lost), f"LevelDB could not read {tables_of(lost)}"
    with contextlib.closing(plyvel.DB(target, paranoid_checks=True, **options)) as db:
        if "comparator" in options and len(tables_of(target)) > 1:
            db.compact_range(start=FIRST_REVERSED, stop=LAST_REVERSED)
        yield db
