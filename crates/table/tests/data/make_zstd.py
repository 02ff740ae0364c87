#!/usr/bin/env python3
"""Makes zstd.ldb: a table whose blocks the reference implementation of zstd compressed.

    python3 -m venv venv && venv/bin/pip install zstandard==0.23.0
    venv/bin/python make_zstd.py         # writes zstd.ldb into this directory

Each data block is one frame: of the levels 1, 3, 9 and 19 with its content size, as LevelDB
writes it, and of level 3 without a content size and with a checksum. Block i has the keys
"i/0" to "i/9" with the sequence numbers 10 * i + 1 and up; a value is its key 20 times.
"""

import os
import struct

import zstandard

MAGIC = bytes.fromhex("57fb808b247547db")


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def block(entries):
    """Every key whole, each a restart point."""
    out, restarts = b"", []
    for key, value in entries:
        restarts.append(len(out))
        out += varint(0) + varint(len(key)) + varint(len(value)) + key + value
    restarts = restarts or [0]
    return out + struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))


def internal(key, sequence):
    return key + struct.pack("<Q", sequence << 8 | 1)


def seal(file, stored, kind):
    handle = varint(len(file)) + varint(len(stored))
    crc = crc32c(stored + bytes([kind]))
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    file += stored + bytes([kind]) + struct.pack("<I", masked)
    return handle


def main():
    compressors = [zstandard.ZstdCompressor(level=level) for level in (1, 3, 9, 19)]
    compressors.append(
        zstandard.ZstdCompressor(level=3, write_content_size=False, write_checksum=True)
    )
    file, index = bytearray(), []
    for i, compressor in enumerate(compressors):
        keys = [b"%d/%d" % (i, j) for j in range(10)]
        entries = [(internal(key, 10 * i + j + 1), key * 20) for j, key in enumerate(keys)]
        handle = seal(file, compressor.compress(block(entries)), 2)
        index.append((entries[-1][0], handle))
    metaindex = seal(file, block([]), 0)
    index = seal(file, compressors[0].compress(block(index)), 2)
    file += (metaindex + index).ljust(40, b"\0") + MAGIC
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zstd.ldb")
    with open(path, "wb") as out:
        out.write(file)


main()
