// The dialect, its types and the op classes that all families share.
#ifndef TENON_DIALECTS_TENON_TENONBASE_TD
#define TENON_DIALECTS_TENON_TENONBASE_TD

include "dialects/Tenon/TenonInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def TenonDialect : Dialect {
  let name = "tenon";
  let cppNamespace = "::tenon";
  let description = [{
    What a Transformer graph says (level L1), on ranked tensors. Storage type is the tensor's element type; contractions,
    norms, softmax and reductions of 16-bit and 8-bit floats accumulate in f32, f64 in f64, integers in their own type
    unless the op says otherwise. A dynamic dimension is `?`; its name and bounds stand on the entry function:
    an argument attribute `tenon.dims = ["batch", "seq", ""]` names each dimension ("" for a static one), and the module
    attribute `tenon.dim_bounds = {batch = array<i64: 1, 33>, seq = array<i64: 1, 256>}` gives the closed range of each name.
    Equal names are equal sizes. What else the ops ask of sizes is checked by each call. `tenon.name` on an argument or result is its public name.
    `tenon.metadata` on the module is a string that a front end keeps with the model, for itself; artefacts carry it.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasCanonicalizer = 1;
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  // One function a family, each in the file of that family's rules, so that the generated classes compile side by side.
  let extraClassDeclaration = [{
    void addActivations();
    void addContractions();
    void addKernels();
    void addPointwise();
    void addQuantisation();
    void addRows();
    void addShapes();
  }];
}

def FloatElement : AnyTypeOf<[F64, F32, F16, BF16]>;
def QuantElement : AnyTypeOf<[I8, I<4>, F8E4M3FN, F8E5M2]>;
def IntElement : AnyTypeOf<[I64, I32, I8, I<4>]>;
def AnyElement : AnyTypeOf<[F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I8, I<4>, I1]>;

def AnyT : RankedTensorOf<[F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I8, I<4>, I1]>;
def FloatT : RankedTensorOf<[F64, F32, F16, BF16]>;
def NumberT : RankedTensorOf<[F64, F32, F16, BF16, I64, I32, I8]>;
def IntT : RankedTensorOf<[I64, I32, I8]>;
def IndexT : RankedTensorOf<[I64, I32]>;
def BoolT : RankedTensorOf<[I1]>;
def QuantT : RankedTensorOf<[I8, I<4>, F8E4M3FN, F8E5M2]>;
def AttendT : RankedTensorOf<[F64, F32, F16, BF16, F8E4M3FN]>;
def ScaleT : RankedTensorOf<[F32]>;

class TenonOp<string mnemonic, list<Trait> traits = []> : Op<TenonDialect, mnemonic, traits> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

// The operands broadcast by NumPy's rules and alone decide the result's shape.
def Broadcasts : NativeOpTrait<"Broadcasts"> { let cppNamespace = "::tenon"; }
// Runs the op's shape rule before any other trait verifies, so that its message, which cites a constraint, comes first.
def ChecksShapes : NativeOpTrait<"ChecksShapes"> { let cppNamespace = "::tenon"; }

// An op whose result sizes follow one rule, `infer` (ShapeRule.h): verification and the sizes as values come from it.
class CheckedOp<string mnemonic, list<Trait> traits = []>
    : TenonOp<mnemonic, !listconcat([Pure, ChecksShapes, ShapeRuleOpInterface,
      DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>], traits)> {
  code rule = ""; // the definition of `infer` where a family shares one, else it stands in the family's file
  code reifyDefinition = rule # [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(::mlir::OpBuilder &builder,
                                                       ::mlir::ReifiedRankedShapedTypeDims &sizes) {
      return ::tenon::reifyByRule(*this, builder, sizes);
    }
  }];
  code inferDeclaration = [{ static ::llvm::LogicalResult infer(::tenon::ShapeRule &rule, Adaptor op); }];
  let extraClassDeclaration = inferDeclaration;
  let extraClassDefinition = reifyDefinition;
}
// The same where the rule gives the whole result type, element type included.
class InferredOp<string mnemonic, list<Trait> traits = []>
    : CheckedOp<mnemonic, !listconcat([InferTypeOpAdaptorWithIsCompatible], traits)> {
  let extraClassDefinition = reifyDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(::mlir::MLIRContext *context,
                                                      std::optional<::mlir::Location> location, Adaptor adaptor,
                                                      ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return ::tenon::inferByRule<$cppClass>(context, location, adaptor, types);
    }
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange declared) {
      return ::tenon::areCompatible(inferred, declared);
    }
  }];
}

#endif
