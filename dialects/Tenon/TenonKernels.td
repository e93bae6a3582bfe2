// The boundary of L1 and L2: what is one launch.
#ifndef TENON_DIALECTS_TENON_TENONKERNELS_TD
#define TENON_DIALECTS_TENON_TENONKERNELS_TD

include "dialects/Tenon/TenonBase.td"

def KernelOp : Op<TenonDialect, "kernel", [IsolatedFromAbove, RecursiveMemoryEffects, SingleBlock]> {
  let summary = "a region that becomes one launch";
  let description = [{
    Formula: the results are what `tenon.yield` gives when the block's arguments are the operands. Inside: `linalg`,
    `tensor`, `arith`, `math` and `tenon.attention` or its parts on tensors; before lowering any `tenon` op.

    (C1) The block has one argument for each operand, of its type.

    (C2) The block ends in `tenon.yield`.

    (C3) It yields values of the result types.

    ```mlir
    func.func @example(%x: tensor<8x16xf32>, %w: tensor<4x16xf32>) -> tensor<8x4xf32> {
      %y = tenon.kernel @linear_gelu(%X = %x, %W = %w) : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32> {
        %0 = tenon.linear %X, %W : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32>
        %1 = tenon.gelu %0 : (tensor<8x4xf32>) -> tensor<8x4xf32>
        tenon.yield %1 : tensor<8x4xf32>
      }
      return %y : tensor<8x4xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$kernel_name, Variadic<AnyT>:$inputs);
  let results = (outs Variadic<AnyT>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    mlir::Block &getBlock() { return getBody().front(); }
    /// The values that the terminator yields.
    mlir::OperandRange getYielded() { return getBlock().getTerminator()->getOperands(); }
  }];
}
def YieldOp : TenonOp<"yield", [Pure, ReturnLike, Terminator, ParentOneOf<["KernelOp"]>]> {
  let summary = "the results of a kernel";
  let description = [{
    Formula: the kernel's results are the operands. The kernel checks their types.

    ```mlir
    func.func @example(%x: tensor<8xf32>) -> tensor<8xf32> {
      %r = tenon.kernel @copy(%X = %x) : (tensor<8xf32>) -> tensor<8xf32> {
        tenon.yield %X : tensor<8xf32>
      }
      return %r : tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyT>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}
def LaunchOp : TenonOp<"launch", [Pure]> {
  let summary = "a call of an outlined kernel, a function generated for the target";
  let description = [{
    Formula: the results are those of the kernel that `callee` names, `@kernels::@name`, on the operands.

    (C1) `callee` names a symbol inside a symbol.

    ```mlir
    func.func @example(%x: tensor<8x16xf32>, %w: tensor<4x16xf32>) -> tensor<8x4xf32> {
      %r = tenon.launch @kernels::@linear_gelu(%x, %w) : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32>
      return %r : tensor<8x4xf32>
    }
    ```
  }];
  let hasVerifier = 1;
  let arguments = (ins SymbolRefAttr:$callee, Variadic<AnyT>:$inputs);
  let results = (outs Variadic<AnyT>:$results);
  let assemblyFormat = "$callee `(` $inputs `)` attr-dict `:` functional-type($inputs, $results)";
}
def AttentionPartsOp : TenonOp<"attention_parts", [Pure, AttrSizedOperandSegments]> {
  let summary = "an attention's recurrence over disjoint sets of keys, each by itself";
  let description = [{
    Formula: the keys are in `parts` disjoint sets, which of them in which is open. With `x[j]` the scores of
    `tenon.attention` as logarithms to base c and j over the visible keys of set s, `maximum[s] = max x[j]`, `sum[s] = sum
    of c^(x[j] - maximum[s])` and `total[s] = sum of c^(x[j] - maximum[s]) * v[j]`; without such a key -Inf, 0 and 0.
    With M the largest maximum of a query, the attention is `(sum over s of c^(maximum[s] - M) * total[s]) / (sum over s of
    c^(maximum[s] - M) * sum[s])`, and 0 where M is -Inf. c is 2; where a float mask is added it is e, as elements of it
    may be so low that they are no finite logarithm to base 2. With `scales` the scores are those of 8-bit floats times
    their scales; what scales the values is left to who puts the parts together, for it is one factor of all of them.

    (C1) `query`, `key`, `value`, `mask`, `key_lengths`, `query_lengths`, `block_table`, `scales`, `window` and `soft_cap`
    are such as `tenon.attention` takes.

    (C2) `parts` is at least 1.

    (C3) `maximum` and `sum` are `[parts, B, Hq, Sq]` and `total` is `[parts, B, Hq, Sq, Dv]`, of the type that attention
    accumulates in: f64 for f64, else f32.

    ```mlir
    func.func @example(%q: tensor<2x4x1x64xbf16>, %k: tensor<2x2x?x64xbf16>) -> tensor<3x2x4x1x64xf32> {
      %y = tenon.kernel @weighted_sums(%Q = %q, %K = %k) : (tensor<2x4x1x64xbf16>, tensor<2x2x?x64xbf16>) -> tensor<3x2x4x1x64xf32> {
        %m, %l, %o = tenon.attention_parts %Q, %K, %K {parts = 3 : i64} : (tensor<2x4x1x64xbf16>, tensor<2x2x?x64xbf16>, tensor<2x2x?x64xbf16>)
            -> (tensor<3x2x4x1xf32>, tensor<3x2x4x1xf32>, tensor<3x2x4x1x64xf32>)
        tenon.yield %o : tensor<3x2x4x1x64xf32>
      }
      return %y : tensor<3x2x4x1x64xf32>
    }
    ```
  }];
  let arguments = (ins AttendT:$query, AttendT:$key, AttendT:$value, Optional<AnyT>:$mask, Optional<IndexT>:$key_lengths,
                   Optional<IndexT>:$query_lengths, Optional<IndexT>:$block_table, Optional<ScaleT>:$query_scale,
                   Optional<ScaleT>:$key_scale, OptionalAttr<F64Attr>:$scale, UnitAttr:$causal, OptionalAttr<I64Attr>:$window,
                   OptionalAttr<F64Attr>:$soft_cap, I64Attr:$parts);
  let results = (outs FloatT:$maximum, FloatT:$sum, FloatT:$total);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` `(` $mask^ `)`)? (`key_lengths` `(` $key_lengths^ `)`)?
    (`query_lengths` `(` $query_lengths^ `)`)? (`block_table` `(` $block_table^ `)`)?
    (`scales` `(` $query_scale^ `,` $key_scale `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif
