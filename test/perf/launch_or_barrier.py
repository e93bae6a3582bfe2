#!/usr/bin/env python3
"""What one step of a model of few rows waits for: a launch of its own in a CUDA graph, or a barrier of the whole grid within one
kernel of all steps. Decides whether layers in one persistent kernel would pay (docs/decisions/0030).

usage: launch_or_barrier.py        on the machine with the GPU (sm_90 and later), with torch

A step brings activations, which the step ahead wrote, and weights, which nobody writes, into shared memory by bulk copies, reads
the activations and stores 32 bytes a thread. Its weights it asks for before it waits: as a launch, programmatic, ahead of
griddepcontrol.wait; in the loop, ahead of the barrier. Prints us a step, medians of 30 graphs of 84 steps in random turns.
"""
import ctypes
import random
import statistics
import sys

STEPS, THREADS, PIECE = 84, 384, 16384

# Bytes from a place in memory into shared memory, in pieces; by one thread.
LOADS = """
  mbarrier.arrive.expect_tx.shared.b64 _, [{bar}], {bytes};
  mov.u32 %off, 0;
{label}:
  sub.u32 %n, {bytes}, %off; min.u32 %n, %n, %piece; add.u32 %to, {to}, %off; cvt.u64.u32 %w64, %off; add.u64 %from, {src}, %w64;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%to], [%from], %n, [{bar}];
  add.u32 %off, %off, %piece; setp.lt.u32 %p, %off, {bytes}; @%p bra {label};
"""
WAIT = "{label}: mbarrier.try_wait.parity.shared.b64 %p, [{bar}], {phase}; @!%p bra {label};\n"
# Thread t adds up words t, t + 3072, .. of the activations, and stores the sum.
USE = """
  mov.u32 %sum, 1; shl.b32 %off, %thread, 2;
{label}: setp.ge.u32 %p, %off, %act; @%p bra {label}_done;
  add.u32 %to, %tile, %off; ld.shared.u32 %n, [%to]; add.u32 %sum, %sum, %n; add.u32 %off, %off, 12288; bra {label};
{label}_done:
  mad.lo.u32 %n, %cta, 384, %thread; mul.wide.u32 %w64, %n, 32; add.u64 %w64, %w64, %out;
  st.global.v4.u32 [%w64], {{%sum, %sum, %sum, %sum}}; st.global.v4.u32 [%w64+16], {{%sum, %sum, %sum, %sum}};
"""
BEGIN = """
.visible .entry {name}(.param .u64 pin, .param .u64 pout, .param .u64 pweights, .param .u32 pact, .param .u32 pown,
    .param .u64 pcounter) .reqntid 384
{{
  .reg .pred %p, %one, %last; .reg .u64 %in, %out, %weights, %counter, %from, %w64, %swap;
  .reg .u32 %thread, %cta, %grid, %act, %own, %bar, %bar2, %tile, %wtile, %off, %n, %to, %sum, %piece, %step, %phase, %want, %half;
  ld.param.u64 %in, [pin]; ld.param.u64 %out, [pout]; ld.param.u64 %weights, [pweights];
  ld.param.u32 %act, [pact]; ld.param.u32 %own, [pown]; ld.param.u64 %counter, [pcounter];
  mov.u32 %thread, %tid.x; mov.u32 %cta, %ctaid.x; mov.u32 %grid, %nctaid.x; mov.u32 %piece, 16384;
  mov.u32 %bar, dyn; add.u32 %bar2, %bar, 8; add.u32 %tile, %bar, 128; add.u32 %wtile, %tile, %act;
  mul.wide.u32 %w64, %cta, %own; add.u64 %weights, %weights, %w64;
  and.b32 %half, %cta, 1; mul.lo.u32 %half, %half, %act;
  setp.eq.u32 %one, %thread, 0;
  @!%one bra READY;
  mbarrier.init.shared.b64 [%bar], 1; mbarrier.init.shared.b64 [%bar2], 1; fence.proxy.async.shared::cta;
READY:
  bar.sync 0;
"""


def ptx():
    own = LOADS.format(bar="%bar2", bytes="%own", to="%wtile", src="%weights", label="OWN{n}")
    act = ("  cvt.u64.u32 %w64, %half; add.u64 %swap, %in, %w64;\n"
           + LOADS.format(bar="%bar", bytes="%act", to="%tile", src="%swap", label="ACT"))
    some = "  setp.eq.u32 %p, {size}, 0; @%p bra {label};\n  @!%one bra {label};\n"
    waits = ("  setp.eq.u32 %p, %own, 0; @%p bra NOOWN;\n" + WAIT.format(bar="%bar2", phase="%phase", label="WOWN") + "NOOWN:\n"
             "  setp.eq.u32 %p, %act, 0; @%p bra NOACT;\n" + WAIT.format(bar="%bar", phase="%phase", label="WACT") + "NOACT:\n")
    step = (BEGIN.format(name="step") + "  mov.u32 %phase, 0;\n" + some.format(size="%own", label="L1") + own.format(n=0) + "L1:\n"
            "  griddepcontrol.wait;\n  griddepcontrol.launch_dependents;\n"
            + some.format(size="%act", label="L2") + act + "L2:\n" + waits + USE.format(label="USE") + "  ret;\n}\n")
    next_weights = "  mul.wide.u32 %w64, %grid, %own; add.u64 %weights, %weights, %w64;\n"
    loop = (BEGIN.format(name="loop") + "  mov.u32 %step, 0;\n" + some.format(size="%own", label="L1") + own.format(n=0) + "L1:\n"
            "NEXT:\n  and.b32 %phase, %step, 1;\n" + some.format(size="%act", label="L2") + "  fence.proxy.async;\n" + act + "L2:\n"
            + waits + USE.format(label="USE") + next_weights +
            f"  add.u32 %step, %step, 1; setp.eq.u32 %last, %step, {STEPS};\n  bar.sync 0;\n  @!%one bra MET;\n"
            "  red.release.gpu.global.add.u32 [%counter], 1;\n  @%last bra ASKED;\n"
            "  setp.eq.u32 %p, %own, 0; @%p bra ASKED;\n" + own.format(n=1) + "ASKED:\n  mul.lo.u32 %want, %step, %grid;\n"
            "POLL: ld.acquire.gpu.global.u32 %n, [%counter]; setp.lt.u32 %p, %n, %want; @%p bra POLL;\n"
            "MET:\n  bar.sync 0;\n  mov.u64 %swap, %in; mov.u64 %in, %out; mov.u64 %out, %swap;\n  @!%last bra NEXT;\n  ret;\n}\n")
    head = ".version 8.0\n.target sm_90a\n.address_size 64\n.extern .shared .align 128 .b8 dyn[];\n"
    return head + step + loop


class Attribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int), ("pad", ctypes.c_char * 4), ("value", ctypes.c_char * 64)]


class Config(ctypes.Structure):
    _fields_ = ([(name, ctypes.c_uint) for name in ("gx", "gy", "gz", "bx", "by", "bz", "shared")]
                + [("stream", ctypes.c_void_p), ("attributes", ctypes.POINTER(Attribute)), ("count", ctypes.c_uint)])


class Driver:
    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        module = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), ptx().encode() + b"\0")
        self.functions = {}
        for name in ("step", "loop"):
            self.functions[name] = ctypes.c_void_p()
            self.call("cuModuleGetFunction", ctypes.byref(self.functions[name]), module, name.encode())
            self.call("cuFuncSetAttribute", self.functions[name], 8, 200 * 1024)  # dynamic shared memory

    def call(self, name, *arguments):
        if error := getattr(self.cuda, name)(*arguments):
            sys.exit(f"{name}: error {error}")

    def launch(self, name, grid, shared, stream, arguments, programmatic):
        attributes = (Attribute * 1)()
        attributes[0].id, attributes[0].value = 6, b"\1"  # programmatic stream serialization
        config = Config(grid, 1, 1, THREADS, 1, 1, shared, stream, attributes, int(programmatic))
        places = (ctypes.c_void_p * len(arguments))(*[ctypes.cast(ctypes.pointer(each), ctypes.c_void_p) for each in arguments])
        self.call("cuLaunchKernelEx", ctypes.byref(config), self.functions[name], places, None)


def graph(torch, driver, memory, name, grid, act, own):
    made, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    shared = act + own + 128
    with torch.cuda.graph(made, stream=stream):
        handle = torch.cuda.current_stream().cuda_stream
        buffers = [memory["a"].data_ptr(), memory["b"].data_ptr()]
        if name == "loop":
            memory["counter"].zero_()
        for number in range(STEPS if name == "step" else 1):
            weights = memory["weights"].data_ptr() + number * grid * own
            arguments = [ctypes.c_uint64(buffers[0]), ctypes.c_uint64(buffers[1]), ctypes.c_uint64(weights), ctypes.c_uint32(act),
                         ctypes.c_uint32(own), ctypes.c_uint64(memory["counter"].data_ptr())]
            driver.launch(name, grid, shared, handle, arguments, name == "step")
            buffers.reverse()
    return made


def result(torch, memory, made):
    """What all steps in a row make of zeros."""
    memory["a"].zero_(), memory["b"].zero_()
    made.replay()
    return torch.cat([memory["a"], memory["b"]])


def main():
    import torch
    torch.zeros(1, device="cuda")
    driver = Driver()
    memory = {"a": torch.zeros(1 << 20, dtype=torch.int32, device="cuda"), "b": torch.zeros(1 << 20, dtype=torch.int32, device="cuda"),
              "weights": torch.zeros(500 << 18, dtype=torch.int32, device="cuda"),
              "counter": torch.zeros(1, dtype=torch.int32, device="cuda")}
    print(f"{torch.cuda.get_device_name()}, us a step\n\n| CTAs | activations, KB a CTA | weights, KB a CTA | launches | barriers |\n"
          "| --- | --- | --- | --- | --- |")
    for grid in (32, 64, 96, 132):
        for act, own in ((0, 0), (48, 0), (48, 36), (96, 36)):
            graphs = [(name, graph(torch, driver, memory, name, grid, act << 10, own << 10)) for name in ("step", "loop")]
            if not torch.equal(result(torch, memory, graphs[0][1]), result(torch, memory, graphs[1][1])):
                sys.exit(f"{grid} CTAs, {act} KB: launches and barriers do not compute the same")
            took = {"step": [], "loop": []}
            for turn in range(33):
                random.shuffle(graphs)
                for name, each in graphs:
                    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                    torch.cuda._sleep(100000)
                    begin.record(), each.replay(), end.record()
                    torch.cuda.synchronize()
                    if turn >= 3:
                        took[name].append(begin.elapsed_time(end) * 1000 / STEPS)
            print(f"| {grid} | {act} | {own} | {statistics.median(took['step']):.2f} | {statistics.median(took['loop']):.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
