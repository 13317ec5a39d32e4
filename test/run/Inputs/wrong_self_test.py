#!/usr/bin/env python3
"""Changes what an artifact's self-test expects: wrong_self_test.py IN.xfm KERNEL OUT.xfm.

The first float that the first case of KERNEL expects becomes 1000; with an empty KERNEL the table is damaged. The checksum is
made anew, by libxxhash.
"""
import ctypes
import json
import struct
import sys


def u16(data, at):
    return struct.unpack_from("<H", data, at)[0]


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def field(data, table, index):
    """Where field `index` of a FlatBuffers table points to; None: it is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    at = 4 + 2 * index
    offset = u16(data, vtable + at) if at < u16(data, vtable) else 0
    return table + offset + u32(data, table + offset) if offset else None


def tables(data, vector):
    for i in range(u32(data, vector)):
        at = vector + 4 + 4 * i
        yield at + u32(data, at)


def first_expected(data, kernel):
    root = u32(data, 0)
    for case in tables(data, field(data, root, 0)):
        name = field(data, case, 0)
        if data[name + 4 : name + 4 + u32(data, name)].decode() == kernel:
            for result in tables(data, field(data, case, 4)):
                floats = field(data, result, 3)
                if floats and u32(data, floats):
                    return floats + 4
    sys.exit(f"wrong_self_test.py: there is no case of '{kernel}'")


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def checksum(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_128bits.restype = Hash
    library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    found = library.XXH3_128bits(bytes(data), len(data))
    return struct.pack(">QQ", found.high, found.low)


def main(source, kernel, target):
    with open(source, "rb") as file:
        data = bytearray(file.read())
    length = struct.unpack_from("<Q", data, 0)[0]
    header = json.loads(data[8 : 8 + length])
    begin, end = header["xfmr.self_test"]["data_offsets"]
    start = 8 + length + begin
    if kernel:
        struct.pack_into("<f", data, start + first_expected(bytes(data[start : 8 + length + end]), kernel), 1000)
    else:
        struct.pack_into("<I", data, start, 0xFFFFFFF0)
    last = 8 + length + header["xfmr.checksum"]["data_offsets"][0]
    data[last : last + 16] = checksum(data[:last])
    with open(target, "wb") as file:
        file.write(data)


main(*sys.argv[1:])
