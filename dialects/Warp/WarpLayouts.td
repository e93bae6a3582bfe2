// Layouts of fragments, MMA atoms and the schedule of a program's warps.
#ifndef TENON_DIALECTS_WARP_WARPLAYOUTS_TD
#define TENON_DIALECTS_WARP_WARPLAYOUTS_TD

include "dialects/Warp/WarpInterfaces.td"

def Warp_Layout : AttrDef<WarpDialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "which thread has which element of a fragment";
  let description = [{
    `#warp.layout<[w2*4, r4, r2, l8*4], [w4, r4, l4, r2]>` has a list of digits for each dimension. An element's place along
    a dimension is a number of mixed radix with these digits, the slowest first. `rN` counts through a thread's registers;
    `lN*S` is `lane / S mod N`; `wN*S` is `warp / S mod N` (S is 1 where it is not written). Sizes need not be powers of
    two. What a thread's lane and warp say that is in no digit makes no difference: those threads have the same elements.
    Registers are numbered by their digits in the order they are written, the last one fastest.

    The digits of a dimension may reach past the tile's size; what lies there is not part of the tile. Digits of size 1 are
    left out, and neighbours that count on are one digit, so that equal layouts are equal attributes.
  }];
  let parameters = (ins "int64_t":$rank, ArrayRefParameter<"::tenon::warp::Digit">:$digits);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Normal form: see above.
    static LayoutAttr get(::mlir::MLIRContext *context, ::llvm::ArrayRef<::llvm::SmallVector<Digit>> dims);
    ::llvm::SmallVector<Digit> getDim(int64_t dimension) const;
    /// How far the digits of a dimension reach, and how many registers a thread has.
    int64_t getReach(int64_t dimension) const;
    int64_t getNumRegisters() const;
    /// How many warps and lanes take part: the product of their digits.
    int64_t getNumWarps() const;
    int64_t getNumLanes() const;
    /// The layout of these dimensions alone, in this order.
    LayoutAttr pick(::llvm::ArrayRef<int64_t> dims) const;
    LayoutAttr drop(int64_t dimension) const;
    /// That of the same elements, in the same registers, under another shape of as many; null where there is none.
    LayoutAttr reshape(::llvm::ArrayRef<int64_t> from, ::llvm::ArrayRef<int64_t> to) const;
    /// The same with one element of the dimension a thread.
    LayoutAttr dropRegisters(int64_t dimension) const;
    /// For each register, its constant part of the place along each dimension.
    ::llvm::SmallVector<::llvm::SmallVector<int64_t>> registerPlaces() const;
    /// What a thread's lane and warp add to that.
    int64_t threadPlace(int64_t dimension, int64_t lane, int64_t warp) const;
    /// Elements that lie one after another along `dimension` in a thread's registers: the size of its last digit.
    int64_t getRun(int64_t dimension) const;
  }];
  let skipDefaultBuilders = 1;
  let builders = [AttrBuilder<(ins "int64_t":$rank, "::llvm::ArrayRef<::tenon::warp::Digit>":$digits), [{
    return $_get($_ctxt, rank, digits);
  }]>];
}

def Warp_MmaSync : AttrDef<WarpDialect, "MmaSync", [DeclareAttrInterfaceMethods<Warp_MmaAtom>]> {
  let mnemonic = "mma_sync";
  let summary = "the Tensor Core instruction of one warp, mma.sync (sm_80 and later)";
  let description = [{
    `#warp.mma_sync<m = 16, n = 8, k = 16>` multiplies f16 or bf16, `k = 8` f32 as tf32, `k = 32` i8 or (sm_89
    and later) 8-bit floats; accumulators are f32, or i32 for i8. Operands come from shared memory by ldmatrix, or the left one from registers.
    8-bit floats beside f16 are widened where they are read (`warp.dot`).
  }];
  let parameters = (ins "int64_t":$m, "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Warp_Fma : AttrDef<WarpDialect, "Fma", [DeclareAttrInterfaceMethods<Warp_MmaAtom>]> {
  let mnemonic = "fma";
  let summary = "multiply-adds of single elements";
  let description = [{
    `#warp.fma` multiplies in the accumulator's own type, exactly rounded: f32 and f64 where tf32 is not asked for, and
    whatever no Tensor Core instruction takes. Operands are read from shared memory.
  }];
}

def Warp_Wgmma : AttrDef<WarpDialect, "Wgmma", [DeclareAttrInterfaceMethods<Warp_MmaAtom>]> {
  let mnemonic = "wgmma";
  let summary = "the Tensor Core instruction of four warps, wgmma (sm_90a)";
  let description = [{
    `#warp.wgmma` multiplies f16 or bf16, `#warp.wgmma<k = 32>` i8 or 8-bit floats, `#warp.wgmma<k = 8>` tf32: 64
    rows a warpgroup with up to 256 columns, `k` elements of the depth a step. Both operands are read where they lie in
    shared memory, or the left one from registers. It runs beside the warps that begin it: see `warp.dot_wait`. A program
    has one warp for each 16 rows, a multiple of four. Of operands of 8 and of 32 bits the depth is contiguous. In shared
    memory tf32 is rounded already, a left operand in registers is f32 and is rounded here.
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "16">:$k);
  let assemblyFormat = "(`<` `k` `=` $k^ `>`)?";
  let genVerifyDecl = 1;
}

def Warp_Schedule : AttrDef<WarpDialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how a program is carried out";
  let description = [{
    `#warp.schedule<warps = [2, 4], stages = 4, tf32 = false>`: warps along the rows and the columns of a dot's result (of
    other tiles: their product), how many slots the rings of copies have, and whether f32 is multiplied as tf32. With
    `wgmma = true` elements of 16 and of 8 bits, and f32 as tf32, are multiplied by warpgroups; with `producer = true` one more warp fills the rings by TMA,
    and a CTA runs many programs; `outer = 2` gives two slots to what a producer brings once a program, with
    `turns = true` warpgroups begin their dots in turns (`warp.turn.wait`), and with `cluster = 2` or 4 that many CTAs
    bring what they have in common once (tenon-form-clusters). With `teams = 2` a CTA has the warps twice: two teams take
    its programs in turn, so that one multiplies while the other computes what is behind its product (ping-pong). With
    `early = 8` what is streamed - weights, or where there are none what a program alone reads - comes through rings of 8
    slots of its own; those of weights the producer begins to fill before the launch ahead is done (`warp.early`). With
    `resident = 2` a multiprocessor has two such CTAs at a time, each with as many registers as that leaves.
  }];
  let parameters = (ins "int64_t":$warpsM, "int64_t":$warpsN, "int64_t":$stages, "bool":$tf32,
                        DefaultValuedParameter<"bool", "false">:$wgmma,
                        DefaultValuedParameter<"bool", "false">:$producer,
                        DefaultValuedParameter<"int64_t", "1">:$outer,
                        DefaultValuedParameter<"bool", "false">:$turns,
                        DefaultValuedParameter<"int64_t", "1">:$cluster,
                        DefaultValuedParameter<"int64_t", "1">:$teams,
                        DefaultValuedParameter<"int64_t", "0">:$early,
                        DefaultValuedParameter<"int64_t", "1">:$resident);
  let assemblyFormat = [{
    `<` `warps` `=` `[` $warpsM `,` $warpsN `]` `,` struct($stages, $tf32, $wgmma, $producer, $outer, $turns, $cluster,
                                                         $teams, $early, $resident) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Of a program.
    int64_t getNumWarps() const { return getWarpsM() * getWarpsN(); }
    /// Of a CTA, beside the producer.
    int64_t getAllWarps() const { return getNumWarps() * getTeams(); }
    /// The layout of a dot's accumulator, in which a lane has that many neighbouring columns.
    LayoutAttr accumulatorLayout(int64_t rows, int64_t columns, int64_t run = 2) const;
  }];
}

def Warp_Order : AttrDef<WarpDialect, "Order"> {
  let mnemonic = "order";
  let summary = "in which order programs are carried out";
  let description = [{
    `#warp.order<longest = 2, group = 16>`: programs with a large number along axis 2 of the grid take longer. The places
    along the other axes are taken `group` at a time, whose operands the L2 cache holds, and within a group the programs
    with the largest number along that axis come first. CTAs take the next program as they get free.
  }];
  let parameters = (ins "int64_t":$longest, "int64_t":$group);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Warp_Cluster : AttrDef<WarpDialect, "Cluster"> {
  let mnemonic = "cluster";
  let summary = "which programs run in step";
  let description = [{
    `#warp.cluster<axis = 0, size = 2>`: the CTAs of a cluster carry out `size` programs that are neighbours along that axis
    of the grid, whose extent is a multiple of it, at the same time. What a `multicast` copy brings comes to all of them,
    and a slot is filled again once all have released it.
  }];
  let parameters = (ins "int64_t":$axis, "int64_t":$size);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
