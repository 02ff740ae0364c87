"""What the interop scripts share: writing with the real LevelDB, reading back, and the files of lists.

Throughout, `writes` is a list of (sequence, key, value) in the order written, where value None is a
deletion: LevelDB numbers the operations of a new database 1, 2, 3 and so on, so the list is also what
a complete log holds.
"""
import contextlib
import os
import shutil
import tempfile

import plyvel


class Recorder:
    """A LevelDB database being written, and the list of what was written to it."""

    def __init__(self, path, **options):
        self.path, self.options = path, options
        self.writes, self.batches = [], 0
        self.db = plyvel.DB(path, create_if_missing=True, **options)

    def batch(self, operations):
        """Write (key, value or None) pairs as one batch."""
        with self.db.write_batch() as batch:
            for key, value in operations:
                if value is None:
                    batch.delete(key)
                else:
                    batch.put(key, value)
                self.writes.append((len(self.writes) + 1, key, value))
        self.batches += 1

    def put(self, key, value):
        self.batch([(key, value)])

    def delete(self, key):
        self.batch([(key, None)])

    def reopen(self):
        """Close and open again, by which LevelDB turns its log into a table."""
        self.db.close()
        self.db = plyvel.DB(self.path, **self.options)

    def close(self):
        self.db.close()
        remove_traces(self.path)


def remove_traces(path):
    """Remove what LevelDB leaves for people and for locking: no part of the data, and full of times."""
    for name in ("LOCK", "LOG", "LOG.old"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(path, name))


def logs_of(path):
    """The names of the logs in a LevelDB directory, in number order."""
    return sorted(name for name in os.listdir(path) if name.endswith(".log"))


def tables_of(path):
    """The names of the tables in a directory, in number order; none if there is no directory."""
    return sorted(name for name in files_of(path) if name.endswith(".ldb"))


def files_of(path):
    """The names of everything in a directory; nothing if there is no directory."""
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def contents_of(path):
    """Every file of a directory with its bytes, to compare before and after."""
    contents = {}
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), "rb") as file:
            contents[name] = file.read()
    return contents


@contextlib.contextmanager
def opened_copy(path, **options):
    """LevelDB's view of a directory: it recovers a copy, because opening changes what is there."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = os.path.join(scratch, "db")
        shutil.copytree(path, copy)
        with contextlib.closing(plyvel.DB(copy, **options)) as db:
            yield db


def visible_in(path, **options):
    """The pairs LevelDB shows after recovering a copy of the directory, in its order."""
    with opened_copy(path, **options) as db:
        return list(db)


def outcome_of(writes):
    """What a database shows after these writes: a dictionary of key to value."""
    shown = {}
    for _, key, value in writes:
        if value is None:
            shown.pop(key, None)
        else:
            shown[key] = value
    return shown


def writes_as_tsv(writes):
    """One line an operation: sequence, put or del, hex key, hex value."""
    lines = []
    for sequence, key, value in writes:
        kind, shown = ("del", "") if value is None else ("put", value.hex())
        lines.append(f"{sequence}\t{kind}\t{key.hex()}\t{shown}\n")
    return "".join(lines)


def same_bytes(made, kept):
    """Whether two directories hold the same files, bytes and all."""
    return contents_of(made) == contents_of(kept)
