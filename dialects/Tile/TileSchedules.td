// How a kernel is cut into programs, as data: chosen before it is lowered, printed, overridable by hand. How a program is
// carried out (stages, warps, roles, the matrix instruction) joins these attributes with the level below.
#ifndef TENON_DIALECTS_TILE_TILESCHEDULES_TD
#define TENON_DIALECTS_TILE_TILESCHEDULES_TD

class TileScheduleAttr<string name, string keyword> : AttrDef<TileDialect, name> {
  let mnemonic = keyword;
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def GemmAttr : TileScheduleAttr<"Gemm", "gemm"> {
  let summary = "schedule of a contraction";
  let description = [{
    `#tile.gemm<rows = 128, columns = 128, depth = 32>`: a program computes `rows` x `columns` results, `depth` elements of
    the contracted dimension at a time. All are at least 1.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$depth);
}

def AttentionAttr : TileScheduleAttr<"Attention", "attention"> {
  let summary = "schedule of an attention";
  let description = [{
    `#tile.attention<queries = 128, keys = 128>`: a program has one head and `queries` of its queries, and runs through the
    keys, `keys` at a time. Both are at least 1.
  }];
  let parameters = (ins "int64_t":$queries, "int64_t":$keys);
}

def RowAttr : TileScheduleAttr<"Row", "row"> {
  let summary = "schedule of pointwise work, norms and reductions";
  let description = [{
    `#tile.row<rows = 8, columns = 512, part = 128>`: a program computes `columns` elements along the innermost dimension of
    the results for `rows` places of the one before; a reduced dimension of unknown size is folded in parts of `part`
    elements. All are at least 1.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$part);
}

#endif
