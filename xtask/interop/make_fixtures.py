#!/usr/bin/env python3
"""Make LevelDB directories with the real LevelDB (PyPI: plyvel 1.5.1, LevelDB 1.22).

    python3 -m venv venv && venv/bin/pip install plyvel==1.5.1
    venv/bin/python make_fixtures.py OUT_DIR [--seed N] [--scale K]

Each case is a folder with
  db/           the directory as LevelDB left it: an unflushed NNNNNN.log and its metadata
  writes.tsv    every operation in the order written: sequence, put|del, hex key, hex value
  visible.tsv   what LevelDB itself returns after recovering a copy of db/: hex key, hex value
  damage.tsv    (damaged cases only) what was done to the log: offset, length, kind

The folders in crates/cli/tests/data/leveldb-fixtures were made with --seed 7. Made again they come out
byte for byte, except for the case "rotated": its metadata depends on when LevelDB's own thread flushes.
"""
import argparse, os, random, shutil, tempfile
import plyvel


class Case:
    def __init__(self, out, name, rng, **options):
        self.path = os.path.join(out, name)
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path)
        self.db_path = os.path.join(self.path, "db")
        self.db = plyvel.DB(self.db_path, create_if_missing=True, **options)
        self.seq, self.writes, self.rng = 0, [], rng

    def batch(self, ops):
        with self.db.write_batch() as wb:
            for key, value in ops:
                self.seq += 1
                if value is None:
                    wb.delete(key)
                else:
                    wb.put(key, value)
                self.writes.append((self.seq, key, value))

    def put(self, key, value):
        self.batch([(key, value)])

    def delete(self, key):
        self.batch([(key, None)])

    def close(self, damage=None):
        self.db.close()
        self.db = None
        logs = sorted(f for f in os.listdir(self.db_path) if f.endswith(".log"))
        if damage:
            marks = damage(os.path.join(self.db_path, logs[-1]))
            with open(os.path.join(self.path, "damage.tsv"), "w") as f:
                for offset, length, kind in marks:
                    f.write(f"{offset}\t{length}\t{kind}\n")
        with open(os.path.join(self.path, "writes.tsv"), "w") as f:
            for seq, key, value in self.writes:
                kind, shown = ("del", "") if value is None else ("put", value.hex())
                f.write(f"{seq}\t{kind}\t{key.hex()}\t{shown}\n")
        with tempfile.TemporaryDirectory() as scratch:
            copy = os.path.join(scratch, "db")
            shutil.copytree(self.db_path, copy)
            with plyvel.DB(copy) as db, open(os.path.join(self.path, "visible.tsv"), "w") as f:
                for key, value in db:
                    f.write(f"{key.hex()}\t{value.hex()}\n")
        for name in ("LOCK", "LOG", "LOG.old"):
            path = os.path.join(self.db_path, name)
            if os.path.exists(path):
                os.remove(path)


def value(rng, size):
    return rng.randbytes(size)


def word(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9)))


def simple(out, rng, scale):
    case = Case(out, "simple", rng)
    for i in range(300 * scale):
        case.put(b"key%06d" % rng.randrange(200 * scale), b"value-%d" % i)
        if i % 7 == 3:
            case.delete(b"key%06d" % rng.randrange(200 * scale))
    case.close()


def batches(out, rng, scale):
    case = Case(out, "batches", rng)
    for _ in range(40 * scale):
        ops = []
        for _ in range(rng.randint(0, 30)):
            key = f"user/{rng.randrange(12):08x}/order/{rng.randrange(400):016x}".encode()
            ops.append((key, None if rng.random() < 0.2 else value(rng, rng.randint(0, 60))))
        if ops:
            case.batch(ops)
    case.close()


def edges(out, rng, scale):
    """Empty key, empty value, 0x00/0xff bytes, prefixes of each other, one key many times."""
    case = Case(out, "edges", rng)
    keys = [b"", b"\x00", b"\x00\x00", b"\xff", b"\xff\xff", b"\xff\x00", b"a", b"a\x00", b"ab", b"a\xff",
            "ключ".encode(), "键".encode(), b"k" * 187, b"k" * 188, b"k" * 5000]
    for _ in range(4 * scale):
        for key in keys:
            case.put(key, value(rng, rng.choice([0, 1, 7, 127, 128, 300])))
            if rng.random() < 0.3:
                case.delete(key)
    for i in range(200 * scale):
        case.put(b"hot", b"%d" % i)
    case.close()


def fragmented(out, rng, scale):
    """Records that cross 32 KiB log blocks, and ones that end within 7 bytes of a block's end."""
    case = Case(out, "fragmented", rng, write_buffer_size=64 << 20)
    for size in (20, 32700, 50, 70000, 1, 32768 - 7 - 12 - 20, 100000):
        case.put(b"size-%06d" % size, value(rng, size))
        case.put(word(rng).encode(), value(rng, rng.randint(0, 90)))
    case.close()


def reopened(out, rng, scale):
    """Opened three times: older data is already in tables, only the tail is in the log."""
    case = Case(out, "reopened", rng)
    for generation in range(3):
        for i in range(100 * scale):
            case.put(b"gen%d-%04d" % (generation, i), value(rng, 40))
            case.put(b"shared-%04d" % rng.randrange(50), b"generation %d" % generation)
        if generation < 2:
            case.db.close()
            case.db = plyvel.DB(case.db_path)
    case.close()


def rotated(out, rng, scale):
    """A small write buffer: LevelDB froze and flushed several memtables while this was written."""
    case = Case(out, "rotated", rng, write_buffer_size=64 << 10)
    for i in range(1500 * scale):
        case.put(b"%016d" % rng.randrange(10**12), value(rng, 100))
    case.close()


def filled(case, rng, scale):
    for i in range(400 * scale):
        case.put(b"%016d" % i, value(rng, rng.randint(80, 120)))


def torn_tail(out, rng, scale):
    case = Case(out, "torn-tail", rng)
    filled(case, rng, scale)

    def damage(path):
        size = os.path.getsize(path)
        cut = rng.randint(1, 90)
        os.truncate(path, size - cut)
        return [(size - cut, cut, "truncated")]
    case.close(damage)


def zero_tail(out, rng, scale):
    case = Case(out, "zero-tail", rng)
    filled(case, rng, scale)

    def damage(path):
        size = os.path.getsize(path)
        with open(path, "ab") as f:
            f.write(bytes(40000))
        return [(size, 40000, "zeros appended")]
    case.close(damage)


def bit_flip(out, rng, scale):
    case = Case(out, "bit-flip", rng)
    filled(case, rng, scale)

    def damage(path):
        marks = []
        with open(path, "r+b") as f:
            size = os.path.getsize(path)
            for at in (rng.randint(4000, 8000), rng.randint(size // 2, size - 5000)):
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ (1 << rng.randrange(8))]))
                marks.append((at, 1, "bit flipped"))
        return marks
    case.close(damage)


CASES = [simple, batches, edges, fragmented, reopened, rotated, torn_tail, zero_tail, bit_flip]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=1)
    args = parser.parse_args()
    for make in CASES:
        make(args.out, random.Random(f"{args.seed}/{make.__name__}"), args.scale)
    print("made", ", ".join(make.__name__ for make in CASES))
