// How a kernel is to be computed, as data: chosen before it is lowered, printed, overridable by hand.
#ifndef TENON_DIALECTS_TENON_TENONSCHEDULES_TD
#define TENON_DIALECTS_TENON_TENONSCHEDULES_TD

include "dialects/Tenon/TenonBase.td"

class ScheduleAttr<string name, string keyword> : AttrDef<TenonDialect, name> {
  let mnemonic = keyword;
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def CpuLoopsAttr : ScheduleAttr<"CpuLoops", "cpu_loops"> {
  let summary = "schedule of a kernel of loops on the CPU";
  let description = "`#tenon.cpu_loops<lanes = 16>`: vectors of `lanes` elements, a power of two from 1 to 64.";
  let parameters = (ins "int64_t":$lanes);
}

def CpuGemmAttr : ScheduleAttr<"CpuGemm", "cpu_gemm"> {
  let summary = "schedule of a contraction on the CPU";
  let description = [{
    `#tenon.cpu_gemm<rows = 6, columns = 64, lanes = 16, chunk = 48>`: a block of `rows` x `columns` results is kept in
    registers, `columns` / `lanes` vectors a row; a task computes one panel of `columns` columns for `chunk` rows.
    `columns` is a multiple of `lanes`, `chunk` of `rows`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$lanes, "int64_t":$chunk);
}

def CpuAttentionAttr : ScheduleAttr<"CpuAttention", "cpu_attention"> {
  let summary = "schedule of an attention on the CPU";
  let description = [{
    `#tenon.cpu_attention<queries = 6, keys = 64, lanes = 16, chunk = 192>`: a block of `queries` x `keys` scores is kept
    in registers; a task computes one head for `chunk` queries, running through the keys once. `keys` is a multiple of
    `lanes`, `chunk` of `queries`.
  }];
  let parameters = (ins "int64_t":$queries, "int64_t":$keys, "int64_t":$lanes, "int64_t":$chunk);
}

#endif
