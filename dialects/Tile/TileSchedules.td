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
    the contracted dimension at a time. With `split_k = 4` it sums a quarter of that dimension, and a second kernel adds
    the four. With `parts = 2` a turn multiplies the upper half of the rows, then the lower, with the same columns; parts of
    64 rows are a warpgroup's, where there are such, and two of them take programs in turn. All are at least 1, and `parts`
    divides `rows`.

    With `joined = true` the `split_k` programs that share a sum add it up themselves, and each finishes its part of the
    tile (`tile.reduce_scatter`): there is no second kernel. `split_k` is 2 or 4 then. With `by_last = true` whoever of
    them comes last adds up the sum and finishes all of the tile (`tile.reduce_to_last`): `split_k` is 2 to 8 then.

    With `swapped = true` the dot is the transposed one: `columns` times `depth` of the right operand times `depth` times
    `rows` of the left, so that columns take the places of an instruction's rows and few rows waste none of them. It has one
    part.

    With `promote = 128` what is added up over 128 elements of the depth, a multiple of `depth`, is added to a sum in f32
    by itself; 0 is never. A sum of 4096 terms in f32, one after the other, is rounded 4096 times at its own size: in blocks
    its root mean square error is a fifth of that. Of 8-bit floats Hopper's instruction keeps 13 bits behind the leading one
    of the largest addend, so that a sum is wrong by no more than 34 2^-13 of the largest of 32 products and of what is
    summed of the block, for each 32 of the depth. Without it that largest is the whole sum.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$depth,
                    DefaultValuedParameter<"int64_t", "1">:$split_k, DefaultValuedParameter<"int64_t", "1">:$parts,
                    DefaultValuedParameter<"int64_t", "0">:$promote, DefaultValuedParameter<"bool", "false">:$swapped,
                    DefaultValuedParameter<"bool", "false">:$joined, DefaultValuedParameter<"bool", "false">:$by_last);
  let builders = [AttrBuilder<(ins "int64_t":$rows, "int64_t":$columns, "int64_t":$depth),
                              [{ return $_get($_ctxt, rows, columns, depth, 1, 1, 0, false, false, false); }]>];
  let extraClassDeclaration = [{
    /// Of each of the programs that share the depth.
    GemmAttr withoutSplit() const {
      return get(getContext(), getRows(), getColumns(), getDepth(), 1, getParts(), getPromote(), getSwapped(), false,
                 false);
    }
    /// Programs that share a sum, and add it up themselves.
    int64_t getJoinedParts() const { return getJoined() || getByLast() ? getSplitK() : 1; }
  }];
}

def Maximum : I32Enum<"Maximum", "when an attention's sums are scaled anew",
    [I32EnumCase<"Lazy", 0, "lazy">, I32EnumCase<"Online", 1, "online">, I32EnumCase<"First", 2, "first">]> {
  let cppNamespace = "::tenon::tile";
}

def AttentionAttr : TileScheduleAttr<"Attention", "attention"> {
  let summary = "schedule of an attention";
  let description = [{
    `#tile.attention<queries = 128, keys = 128>`: a program has one head and `queries` of its queries, and runs through the
    keys, `keys` at a time. With `split_keys = 4` it runs through a quarter of them, and a second kernel puts the four
    together. All are at least 1. Powers and sums are relative to a base for each query. With `maximum = lazy` it becomes
    the query's maximum where that has outgrown it by 2^8; with `online` wherever the maximum has grown, the textbook's
    online softmax; with `first` it is the first keys' maximum until a sum outgrows it by 2^40 (2^12 in f16): maxima are
    not looked for then, and powers of such keys are computed twice. Where one turn sees all keys a few of them take the
    place of the first.
  }];
  let parameters = (ins "int64_t":$queries, "int64_t":$keys, DefaultValuedParameter<"int64_t", "1">:$split_keys,
                    DefaultValuedParameter<"::tenon::tile::Maximum", "::tenon::tile::Maximum::Lazy">:$maximum);
}

def RowAttr : TileScheduleAttr<"Row", "row"> {
  let summary = "schedule of pointwise work, norms and reductions";
  let description = [{
    `#tile.row<rows = 8, columns = 512, part = 128>`: a program computes `columns` elements along the innermost dimension of
    the results for `rows` places of those before. A row that is folded and has more is walked through, `columns` at a
    time; any other dimension that is folded, `part` at a time. All are at least 1.

    With `splits = 16` that dimension, of which there is one then, is shared by 16 programs: each folds its share, and
    whoever of them comes last folds what they have (`tile.gather_to_last`). `splits` is a power of two, 128 at most.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$part,
                    DefaultValuedParameter<"int64_t", "1">:$splits);
  let builders = [AttrBuilder<(ins "int64_t":$rows, "int64_t":$columns, "int64_t":$part),
                              [{ return $_get($_ctxt, rows, columns, part, 1); }]>];
}

#endif
