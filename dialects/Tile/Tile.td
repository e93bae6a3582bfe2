// What one CTA computes, and where (level L3): no threads, no layouts, no shared memory, no barriers.
#ifndef TENON_DIALECTS_TILE_TILE_TD
#define TENON_DIALECTS_TILE_TILE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TileDialect : Dialect {
  let name = "tile";
  let cppNamespace = "::tenon::tile";
  let description = [{
    The level a kernel is read at (L3). A kernel is a grid of independent programs; each reads tiles from views of global
    memory, computes with them, and stores tiles. A tile is a builtin `tensor` of static shape, so `arith`, `math` and
    `scf` work on it as they are; only views are types of this dialect. Nothing here says how many threads there are, in
    which registers or in what memory a tile lies, or when a copy ends: that is the level below, chosen by the schedule.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def Tile_View : TypeDef<TileDialect, "View"> {
  let mnemonic = "view";
  let summary = "elements in global memory, addressed by indices";
  let description = [{
    `!tile.view<?x4096xbf16>`: shape and element type. Where an element lies (base, strides) is known to the op that made
    the view; an argument of a kernel is dense and row-major.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    bool isDynamicDim(int64_t dimension) const { return ::mlir::ShapedType::isDynamic(getShape()[dimension]); }
  }];
}

def TileElement : AnyTypeOf<[F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I16, I8, I1, Index]>;
def TileT : StaticShapeTensorOf<[F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I16, I8, I1, Index]>;
def IntTileT : StaticShapeTensorOf<[I64, I32]>;

class TileOp<string mnemonic, list<Trait> traits = []> : Op<TileDialect, mnemonic, traits> { let hasVerifier = 1; }

def KernelOp : TileOp<"kernel", [FunctionOpInterface, IsolatedFromAbove, SingleBlock]> {
  let summary = "a kernel at the level of tiles";
  let description = [{
    Formula: for every point of the grid, in no order, the program in `tile.grid`. Arguments are views of the operands,
    then of the results, dense and row-major. A schedule stands in the attribute `tenon.schedule`.

    (C1) Arguments are views.

    (C2) There are no results.

    (C3) The body holds one `tile.grid` and ends in `tile.end`.

    ```mlir
    tile.kernel @negate(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
      %c32 = arith.constant 32 : index
      %c0 = arith.constant 0 : index
      %rows = arith.ceildivui %m, %c32 : index
      tile.grid (%i) = (%rows) {
        %first = arith.muli %i, %c32 : index
        %x = tile.load %X[%first, %c0] : !tile.view<?x64xf32> -> tensor<32x64xf32>
        %y = arith.negf %x : tensor<32x64xf32>
        tile.store %y, %Y[%first, %c0] : tensor<32x64xf32>, !tile.view<?x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                   OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// The one grid of the kernel.
    GridOp getGrid();
  }];
}

def EndOp : Op<TileDialect, "end", [Terminator, Pure, ParentOneOf<["KernelOp", "GridOp"]>]> {
  let summary = "the end of a kernel or of a grid's program";
  let description = [{
    Formula: nothing. It stands in `tile.kernel` or `tile.grid`.

    ```mlir
    tile.kernel @nothing() {
      tile.grid () = () {
        tile.end
      }
      tile.end
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def GridOp : TileOp<"grid", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"EndOp">]> {
  let summary = "the programs of a kernel";
  let description = [{
    Formula: the program for every point of `[0, extent_0) x [0, extent_1) ..`. Programs run at the same time, in no
    order, and store to disjoint places.

    (C1) The program has one argument of type `index` for each extent.

    (C2) Stands in `tile.kernel`, not in another op.

    ```mlir
    tile.kernel @fill(%Y: !tile.view<64x64xf32>) {
      %c4 = arith.constant 4 : index
      %c16 = arith.constant 16 : index
      %one = arith.constant dense<1.0> : tensor<16x16xf32>
      tile.grid (%i, %j) = (%c4, %c4) {
        %m = arith.muli %i, %c16 : index
        %n = arith.muli %j, %c16 : index
        tile.store %one, %Y[%m, %n] : tensor<16x16xf32>, !tile.view<64x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$extents);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
}

def DimOp : TileOp<"dim", [Pure]> {
  let summary = "a size of a view";
  let description = [{
    Formula: `r = the size of dimension axis of view`.

    (C1) `axis` is a dimension of the view.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>) {
      %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
      tile.grid (%i) = (%m) {
      }
    }
    ```
  }];
  let arguments = (ins Tile_View:$view, I64Attr:$axis);
  let results = (outs Index:$result);
  let assemblyFormat = "$view attr-dict `:` type($view)";
  let hasFolder = 1;
}

def StridedOp : TileOp<"strided", [Pure, AttrSizedOperandSegments]> {
  let summary = "a view of a view's memory under another shape";
  let description = [{
    Formula: `r[i..]` is the element of `base`'s memory at `offset + sum over d of i_d * strides_d`, counted in elements
    from where `base` begins. Slices, transposes, splits and joins of dense views are this op.

    (C1) The result has as many dimensions as there are `sizes`, and as there are `strides`.

    (C2) A static size of the result is the constant operand in its place.

    (C3) The result has the element type of `base`.

    ```mlir
    tile.kernel @transposed(%X: !tile.view<64x32xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %t = tile.strided %X at %c0 sizes(%c32, %c64) strides(%c1, %c32) : !tile.view<64x32xf32> -> !tile.view<32x64xf32>
      tile.grid () = () {
        %x = tile.load %t[%c0, %c0] : !tile.view<32x64xf32> -> tensor<32x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins Tile_View:$base, Index:$offset, Variadic<Index>:$sizes, Variadic<Index>:$strides);
  let results = (outs Tile_View:$result);
  let assemblyFormat = [{
    $base `at` $offset `sizes` `(` $sizes `)` `strides` `(` $strides `)` attr-dict `:` type($base) `->` type($result)
  }];
}

include "dialects/Tile/TileMemory.td"
include "dialects/Tile/TileSchedules.td"
include "dialects/Tile/TileCompute.td"

#endif
