#!/usr/bin/env python3
"""Rounds the matrices of a checkpoint's blocks as another program stores them: pack.py METHOD FOLDER OUT

OUT/packed is the quantised checkpoint, OUT/plain the same numbers in F32. METHOD: gptq, awq, compressed-tensors, fp8, mxfp4 (which
rounds `experts.*_proj` only, stored [experts, in, out] in FOLDER).
"""
import array
import bisect
import json
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))
import safetensors  # noqa: E402  (test/scripts)

GROUP = 32
BOOK = [0, 0.5, 1, 1.5, 2, 3, 4, 6]


def half(value):
    return struct.unpack("<e", struct.pack("<e", value))[0]


def write(path, tensors):
    header, blob = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + blob)


def floats(values):
    return array.array("f", values).tobytes()


def with_zeros(rows, columns, values):
    """Codes 0 … 15, f16 scales and zeros 1 … 15 of groups, and the numbers."""
    groups = columns // GROUP
    codes, plain = [[0] * columns for _ in range(rows)], [0.0] * (rows * columns)
    scales, zeros = [[0.0] * groups for _ in range(rows)], [[0] * groups for _ in range(rows)]
    for r in range(rows):
        for g in range(groups):
            part = values[r * columns + g * GROUP:r * columns + (g + 1) * GROUP]
            low, high = min(min(part), 0), max(max(part), 0)
            scale = half((high - low) / 14) or 1.0
            zero = min(15, max(1, round(-low / scale)))
            scales[r][g], zeros[r][g] = scale, zero
            for i, value in enumerate(part):
                code = min(15, max(0, round(value / scale) + zero))
                codes[r][g * GROUP + i] = code
                plain[r * columns + g * GROUP + i] = scale * (code - zero)
    return codes, scales, zeros, plain


def words(nibbles):
    """Eight to a word, the first one lowest."""
    return b"".join(struct.pack("<I", sum(n << 4 * i for i, n in enumerate(nibbles[at:at + 8]))) for at in range(0, len(nibbles), 8))


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def pack_linear(method, name, rows, columns, values, out):
    codes, scales, zeros, plain = with_zeros(rows, columns, values)
    stem = name[:-len(".weight")]
    groups = columns // GROUP
    if method == "compressed-tensors":
        out[stem + ".weight_packed"] = ("I32", [rows, columns // 8], b"".join(words(row) for row in codes))
        out[stem + ".weight_scale"] = ("F32", [rows, groups], floats(s for row in scales for s in row))
        # Along the outputs: a word holds eight rows of one group.
        columns_of_zeros = [words([zeros[r][g] for r in range(rows)]) for g in range(groups)]
        out[stem + ".weight_zero_point"] = ("I32", [rows // 8, groups], b"".join(
            columns_of_zeros[g][4 * w:4 * w + 4] for w in range(rows // 8) for g in range(groups)))
        out[stem + ".weight_shape"] = ("I64", [2], struct.pack("<qq", rows, columns))
        return plain
    by_input, zeros, scales = transposed(codes), transposed(zeros), transposed(scales)
    out[stem + ".scales"] = ("F16", [groups, rows], b"".join(struct.pack("<e", s) for row in scales for s in row))
    if method == "gptq":
        by_word = [words([by_input[i][r] for i in range(columns)]) for r in range(rows)]
        out[stem + ".qweight"] = ("I32", [columns // 8, rows], b"".join(
            by_word[r][4 * w:4 * w + 4] for w in range(columns // 8) for r in range(rows)))
        out[stem + ".qzeros"] = ("I32", [groups, rows // 8], b"".join(words([z - 1 for z in row]) for row in zeros))
        out[stem + ".g_idx"] = ("I32", [columns], array.array("i", [i // GROUP for i in range(columns)]).tobytes())
    else:
        order = [0, 2, 4, 6, 1, 3, 5, 7]
        def mixed(row):
            return words([row[at + order[n]] for at in range(0, len(row), 8) for n in range(8)])
        out[stem + ".qweight"] = ("I32", [columns, rows // 8], b"".join(mixed(row) for row in by_input))
        out[stem + ".qzeros"] = ("I32", [groups, rows // 8], b"".join(mixed(row) for row in zeros))
    return plain


def e4m3(byte):
    exponent, fraction = byte >> 3 & 15, byte & 7
    magnitude = (8 + fraction) * 2.0 ** (exponent - 10) if exponent else fraction * 2.0 ** -9
    return -magnitude if byte & 128 else magnitude


def pack_f8(name, rows, columns, values, out):
    """Blocks of 32 x 32, rounded to the nearest number of E4M3."""
    numbers = sorted((e4m3(byte), byte) for byte in range(256) if byte & 127 != 127 and byte != 128)
    keys = [value for value, _ in numbers]
    across, down = -(-columns // 32), -(-rows // 32)
    scales = [max(abs(values[r * columns + c]) for r in range(32 * i, min(rows, 32 * i + 32))
                  for c in range(32 * j, min(columns, 32 * j + 32))) / 448 or 1.0 for i in range(down) for j in range(across)]
    scales = list(array.array("f", scales))
    data, plain = bytearray(rows * columns), [0.0] * (rows * columns)
    for at, value in enumerate(values):
        scale = scales[at // columns // 32 * across + at % columns // 32]
        i = min(range(max(0, bisect.bisect(keys, value / scale) - 1), min(len(keys), bisect.bisect(keys, value / scale) + 1)),
                key=lambda k: abs(keys[k] - value / scale))
        data[at] = numbers[i][1]
        plain[at] = keys[i] * scale
    out[name] = ("F8_E4M3", [rows, columns], bytes(data))
    out[name + "_scale_inv"] = ("F32", [down, across], floats(scales))
    return plain


def pack_experts(name, shape, values, out):
    experts, inputs, outputs = shape
    blocks, scales, plain = bytearray(), bytearray(), [0.0] * len(values)
    for e in range(experts):
        for o in range(outputs):
            row = [values[(e * inputs + i) * outputs + o] for i in range(inputs)]
            for at in range(0, inputs, 32):
                part = row[at:at + 32]
                most = max(abs(value) for value in part) or 1.0
                exponent = 0
                while 6 * 2.0 ** exponent < most:
                    exponent += 1
                while 6 * 2.0 ** (exponent - 1) >= most:
                    exponent -= 1
                scales.append(exponent + 127)
                codes = []
                for i, value in enumerate(part):
                    code = min(range(8), key=lambda k: abs(BOOK[k] - abs(value) / 2.0 ** exponent))
                    plain[(e * inputs + at + i) * outputs + o] = (-1 if value < 0 else 1) * BOOK[code] * 2.0 ** exponent
                    codes.append(code | (8 if value < 0 else 0))
                blocks += bytes(codes[i] | codes[i + 1] << 4 for i in range(0, 32, 2))
    out[name + "_blocks"] = ("U8", [experts, outputs, inputs // 32, 16], bytes(blocks))
    out[name + "_scales"] = ("U8", [experts, outputs, inputs // 32], bytes(scales))
    return plain


def main():
    method, folder, target = sys.argv[1:]
    packed, plain = {}, {}
    for name, (shape, values) in safetensors.read(os.path.join(folder, "model.safetensors")).items():
        numbers = list(values)
        if method == "mxfp4" and name.endswith("_proj") and len(shape) == 3 and shape[1] % 32 == 0:
            numbers = pack_experts(name, shape, numbers, packed)
        elif method != "mxfp4" and ".layers." in name and len(shape) == 2 and name.endswith("_proj.weight"):
            numbers = (pack_f8 if method == "fp8" else lambda *a: pack_linear(method, *a))(name, shape[0], shape[1], numbers, packed)
        else:
            packed[name] = ("F32", shape, floats(numbers))
        plain[name] = ("F32", shape, floats(numbers))
    settings = {
        "gptq": {"bits": 4, "group_size": GROUP, "desc_act": False, "sym": False},
        "awq": {"bits": 4, "group_size": GROUP, "version": "gemm", "zero_point": True},
        "compressed-tensors": {"format": "pack-quantized", "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
            "num_bits": 4, "type": "int", "symmetric": False, "strategy": "group", "group_size": GROUP}}}, "ignore": ["lm_head"]},
        "fp8": {"weight_block_size": [32, 32], "fmt": "e4m3"},
        "mxfp4": {"modules_to_not_convert": ["model.layers.*.self_attn"]},
    }[method]
    for name, tensors in (("packed", packed), ("plain", plain)):
        out = os.path.join(target, name)
        shutil.copytree(folder, out, ignore=shutil.ignore_patterns("*.safetensors", "expected"))
        with open(os.path.join(out, "config.json")) as file:
            config = json.load(file)
        if name == "packed":
            config["quantization_config"] = {"quant_method": method, **settings}
        with open(os.path.join(out, "config.json"), "w") as file:
            json.dump(config, file)
        write(os.path.join(out, "model.safetensors"), tensors)


if __name__ == "__main__":
    main()
