#!/usr/bin/env python3
"""Tensor maps at every boundary of the rules that the driver has for them, and which of them it takes.

usage: tensor_maps.py OUT.json
  on a machine with an H100 or H200: OUT.json gets date, device, driver, and each map with the driver's answer
test/unit/sim-tensor-maps-test.cpp compares the simulator's answers with those of tensor-maps.json.
"""

import ctypes
import datetime
import json
import subprocess
import sys

U8, U16, U32, I32, U64, I64, F16, F32, F64, BF16, F32_FTZ, TF32, TF32_FTZ, U4_8, U4_16, U6_16 = range(16)
NAMES = "u8 u16 u32 i32 u64 i64 f16 f32 f64 bf16 f32_ftz tf32 tf32_ftz u4_align8 u4_align16 u6_align16".split()
BYTES = [1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4]
ANY = {"at": 0}  # an address within an allocation, so many bytes behind its begin


def tensor_map(rank=2, type=BF16, inner=None, **changes):
    """64 elements a side, a box of 32 bytes (`inner`: elements) by 8, and no mode."""
    sides, bytes = max(rank, 1), BYTES[type] if 0 <= type < len(BYTES) else 1
    return {
        "type": type,
        "rank": rank,
        "address": ANY,
        "sizes": [64] * sides,
        "strides": [64 * 64**axis * bytes for axis in range(sides - 1)],
        "box": [inner or 32 // bytes] + [8] * (sides - 1),
        "steps": [1] * sides,
        "interleave": 0,
        "swizzle": 0,
        "promotion": 0,
        "fill": 0,
        "map": 0,  # bytes behind a multiple of 128
    } | changes


def of_addresses():
    for offset in (0, 64, 32, 16, 8, 1):
        yield f"map.{offset}", tensor_map(map=offset)
    for offset in (16, 32, 128, 8, 4, 1, 24):
        yield f"address.{offset}", tensor_map(address={"at": offset})
    for address in (0, 16, 2**40, *(2**power for power in range(47, 58)), 2**57 - 16, 2**64 - 16):
        yield f"address.absolute.{address:x}", tensor_map(address=address)


def of_types():
    for type, name in enumerate(NAMES[:13]):
        yield f"type.{name}", tensor_map(type=type)
        yield f"fill.{name}", tensor_map(type=type, fill=1)
    for type in (-1, 16, 17, 255):
        yield f"type.{type}", tensor_map(type=type)
    for type in (U4_8, U4_16, U6_16):
        packed = tensor_map(type=type, sizes=[256, 64], strides=[128], box=[128, 8])
        yield f"type.{NAMES[type]}", packed
        yield f"type.{NAMES[type]}.swizzle128", packed | {"swizzle": 3}
    yield "fill.2", tensor_map(fill=2)
    yield "fill.-1", tensor_map(fill=-1)


def of_modes():
    for rank in range(1, 6):
        yield f"rank.{rank}", tensor_map(rank)
    yield "rank.0", tensor_map(1) | {"rank": 0}
    yield "rank.6", tensor_map(5) | {"rank": 6, "sizes": [64] * 6, "strides": [128] * 5, "box": [16] * 6, "steps": [1] * 6}
    for swizzle in (-1, 1, 2, 3, 4, 5, 6, 7, 8):
        yield f"swizzle.{swizzle}", tensor_map(swizzle=swizzle)
    for promotion in (-1, 1, 2, 3, 4):
        yield f"promotion.{promotion}", tensor_map(promotion=promotion)
    for interleave in (-1, 1, 2, 3):
        for rank in (2, 3):
            for swizzle in (0, 1, 2):
                change = {"interleave": interleave, "swizzle": swizzle}
                yield f"interleave.{interleave}.rank{rank}.swizzle{swizzle}", tensor_map(rank, **change)
    slices = tensor_map(3, interleave=2, swizzle=1)
    yield "interleave.2.address16", slices | {"address": {"at": 16}}
    yield "interleave.2.address32", slices | {"address": {"at": 32}}
    yield "interleave.2.stride48", slices | {"strides": [48, 8192]}
    yield "interleave.2.stride16", slices | {"strides": [128, 8208]}
    for interleave in (1, 2):
        for bytes in (2, 8, 16, 24, 32, 48, 64, 128, 512):
            yield f"interleave.{interleave}.inner{bytes}", tensor_map(3, interleave=interleave, inner=bytes // 2, swizzle=interleave - 1)
        yield f"interleave.{interleave}.swizzle3", tensor_map(3, interleave=interleave, swizzle=3)
        yield f"interleave.{interleave}.swizzle1.inner64", tensor_map(3, interleave=interleave, inner=32, swizzle=1)
        for rank in (1, 4, 5):
            yield f"interleave.{interleave}.rank{rank}", tensor_map(rank, interleave=interleave, swizzle=interleave - 1)


def of_sizes():
    for size in (0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**40, 2**64 - 1):
        yield f"size.inner.{size}", tensor_map(1, sizes=[size])
        yield f"size.outer.{size}", tensor_map(sizes=[64, size])
    for axis in range(5):
        yield f"size.0.axis{axis}", tensor_map(5, sizes=[64] * axis + [0] + [64] * (4 - axis))
    yield "size.all", tensor_map(5, sizes=[2**32] * 5, strides=[2**40 - 16] * 4)
    yield "size.f64", tensor_map(1, type=F64, sizes=[2**32])


def of_strides():
    for stride in (0, 16, 32, 48, 112, 8, 120, 127, 129, 136, 2**32, 2**40 - 16, 2**40 - 8, 2**40, 2**40 + 16, 2**64 - 16):
        yield f"stride.{stride}", tensor_map(strides=[stride])
    for axis in range(4):
        usual = tensor_map(5)["strides"]
        for stride in (8, 0, 2**40):
            yield f"stride.axis{axis}.{stride}", tensor_map(5, strides=usual[:axis] + [stride] + usual[axis + 1 :])
    yield "stride.rank1", tensor_map(1, strides=[7])
    yield "stride.falling", tensor_map(3, strides=[8192, 128])
    yield "stride.no_multiple", tensor_map(3, strides=[128, 128 * 64 + 16])
    yield "stride.overlaps", tensor_map(3, strides=[128, 128 * 63])
    yield "stride.equal", tensor_map(3, strides=[128, 128])


def of_boxes():
    for side in (0, 1, 2, 255, 256, 257, 2**16, 2**31, 2**32 - 1):
        yield f"box.outer.{side}", tensor_map(box=[16, side])
    for side in (0, 240, 255, 256, 257, 272, 512, 2**16, 2**31):
        yield f"box.inner.{side}", tensor_map(type=U8, box=[side, 8], sizes=[1024, 64], strides=[1024])
    for type in (U8, BF16, F32, F64):
        for bytes in (8, 16, 24, 32, 48):
            yield f"box.{NAMES[type]}.{bytes}", tensor_map(type=type, inner=bytes // BYTES[type])
    yield "box.u8.1", tensor_map(type=U8, inner=1)
    yield "box.u8.17", tensor_map(type=U8, inner=17)
    for swizzle, span in ((1, 32), (2, 64), (3, 128)):
        for bytes in (8, 16, 24, span // 2, span - 16, span, span + 16, 2 * span):
            for type in (U8, F32):
                name = f"box.swizzle{span}.{NAMES[type]}.{bytes}"
                yield name, tensor_map(type=type, inner=bytes // BYTES[type], swizzle=swizzle)
    yield "box.f64.256", tensor_map(type=F64, inner=256)
    yield "box.past_the_tensor", tensor_map(sizes=[8, 4], strides=[16])
    for size in (227, 228, 229, 230, 231, 232, 240, 248, 252, 255, 256):
        yield f"box.{size}KiB", tensor_map(type=F32, sizes=[256, 256], strides=[1024], box=[256, size])
    for type, box in ((U8, [16, 256, 57]), (U8, [16, 256, 58]), (U8, [16, 256, 63]), (U8, [16, 256, 64]), (F64, [256, 114]),
                      (F64, [256, 115]), (F64, [256, 127]), (F64, [256, 128]), (F64, [2, 256, 57]), (F64, [2, 256, 58])):
        for swizzle in (0, 3) if box[0] < 256 else (0,):
            name = f"box.{NAMES[type]}.{'x'.join(map(str, box))}.swizzle{swizzle}"
            yield name, tensor_map(len(box), type=type, box=box, swizzle=swizzle)
    for box in ([16, 256, 7], [16, 256, 8]):
        yield f"box.u8.{'x'.join(map(str, box))}.swizzle3", tensor_map(3, type=U8, box=box, swizzle=3)
    yield "box.all", tensor_map(5, type=F64, box=[256] * 5)


def of_steps():
    for step in (0, 2, 3, 7, 8, 9, 2**32 - 1):
        yield f"step.outer.{step}", tensor_map(steps=[1, step])
        yield f"step.inner.{step}", tensor_map(steps=[step, 1])
    yield "step.box256", tensor_map(box=[16, 256], steps=[1, 8])
    yield "step.box456KiB", tensor_map(3, type=U8, box=[16, 256, 114], steps=[1, 1, 2])
    yield "step.box464KiB", tensor_map(3, type=U8, box=[16, 256, 116], steps=[1, 1, 2])
    yield "step.inner2.box32", tensor_map(box=[32, 8], steps=[2, 1])
    yield "step.inner2.swizzle32.box32", tensor_map(box=[32, 8], steps=[2, 1], swizzle=1)
    yield "step.all", tensor_map(5, steps=[1, 2, 3, 4, 8])


def all_maps():
    makers = (of_addresses, of_types, of_modes, of_sizes, of_strides, of_boxes, of_steps)
    return {name: each for maker in makers for name, each in maker()}


def worker():
    """Answers each line of stdin, a map, with the driver's answer."""
    driver = ctypes.CDLL("libcuda.so.1")
    context, memory = ctypes.c_void_p(), ctypes.c_uint64()
    for status in (driver.cuInit(0), driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0),
                   driver.cuCtxPushCurrent_v2(context), driver.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(4096))):
        assert status == 0, f"the driver answers {status}"
    storage = ctypes.create_string_buffer(1024)
    aligned = -(-ctypes.addressof(storage) // 128) * 128
    for line in sys.stdin:
        case = json.loads(line)
        address = case["address"] if isinstance(case["address"], int) else memory.value + case["address"]["at"]
        # 8 words each, so that the driver may look past the rank
        wide, narrow = ctypes.c_uint64 * 8, ctypes.c_uint32 * 8
        print(driver.cuTensorMapEncodeTiled(
            ctypes.c_void_p(aligned + case["map"]), ctypes.c_int(case["type"]), ctypes.c_uint32(case["rank"]),
            ctypes.c_void_p(address), wide(*case["sizes"]), wide(*case["strides"]), narrow(*case["box"]),
            narrow(*case["steps"]), ctypes.c_int(case["interleave"]), ctypes.c_int(case["swizzle"]),
            ctypes.c_int(case["promotion"]), ctypes.c_int(case["fill"])), flush=True)


def main(arguments):
    if arguments == ["--worker"]:
        return worker()
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    from run_device import device

    process, maps, ends = None, all_maps(), 0
    for case in maps.values():
        if process is None or process.poll() is not None:
            process = subprocess.Popen([sys.executable, __file__, "--worker"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        process.stdin.write(json.dumps(case) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        case["answer"] = int(line) if line else "ended the process"
        if not line:
            process.wait()
            ends += 1
            assert ends < 10, "the driver ends this process again and again"
    process.stdin.close()
    # A line a map: 12 fields that are all of the call's arguments, and the answer.
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in maps.items())
    index = {**device(), "date": datetime.date.today().isoformat()}
    head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in index.items())
    with open(arguments[0], "w") as file:
        file.write(f'{{\n{head} "maps": {{\n{lines}\n }}\n}}\n')
    taken = sum(case["answer"] == 0 for case in maps.values())
    print(f"{len(maps)} maps, {taken} taken, on {index['device']}, driver {index['driver']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
