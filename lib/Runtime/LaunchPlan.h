// The launch plan: what the host must do to run a compiled model, free of IR. Buffers with symbolic shapes, launches
// that run once at load (weight packing), launches of a call, and per kernel its grid and scratch as expressions. The
// compiler writes it, the runtime reads it, both through manifest.json of an artefact. A plan read from a file is
// validated in full (ids, kinds, definition before use), so that nothing behind it has to check again.
#pragma once

#include "lib/Support/DataType.h"
#include "lib/Support/Status.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

/// A size: a constant, a named dimension, or an operation on two or more expressions.
/// JSON: 5, "batch", ["*", "batch", "seq"], ["ceildiv", "seq", 16].
struct Expr {
  enum class Kind { Constant, Dim, Add, Mul, CeilDiv, FloorDiv, Mod, Max, Min };
  Kind kind = Kind::Constant;
  int64_t value = 0;
  std::string dim;
  std::vector<Expr> operands;

  static Expr constant(int64_t value);
  static Expr dimension(std::string name);
  /// Folds constants and neutral elements; ceildiv, floordiv and mod take exactly two operands.
  static Expr binary(Kind kind, Expr lhs, Expr rhs);

  bool isConstant() const { return kind == Kind::Constant; }
  std::string str() const;
  /// Errors: an unknown dimension, a division by a value < 1, overflow of 64 bits.
  Result<int64_t> evaluate(const std::function<const int64_t *(std::string_view)> &dims) const;
  /// With the kernel's own dimensions "d0", "d1", ...
  Result<int64_t> evaluate(const std::vector<int64_t> &kernelDims) const;
  /// The expression with some dimensions replaced (those `dims` gives an expression for), folded.
  Expr substitute(const std::function<const Expr *(std::string_view)> &dims) const;
  /// A kernel's expression over "d0", "d1", .. at one launch.
  Expr substitute(const std::vector<Expr> &kernelDims) const;
  bool operator==(const Expr &other) const;
};

/// A named dimension and its inclusive bounds.
struct PlanDim {
  std::string name;
  int64_t lo = 0;
  int64_t hi = INT64_MAX;
};

/// What the sizes of a call must fulfil, or its kernels would leave their buffers.
struct PlanCondition {
  enum class Relation { Equal, AtMost, Needs }; ///< a = b; a <= b; where a is not 0, neither is b
  Relation relation = Relation::Equal;
  Expr a, b;
  std::string source; ///< who asks: "tenon.add at model.py:7"
};

enum class ValueKind {
  Input,      ///< given by the caller
  Output,     ///< memory of the caller, written by a launch, or copied from `source` when that is >= 0
  Weight,     ///< by `name` (its key) from the safetensors; static shape
  Constant,   ///< bytes [offset, offset + size) of constants.bin; static shape
  Temp,       ///< in the arena, alive from its defining launch to its last use
  Persistent, ///< result of an init launch, alive as long as the executable; static shape
  View,       ///< the bytes of `source` under another shape
  Size,       ///< a rank-0 i64 holding `size`, written by the runtime
};

struct PlanValue {
  int64_t id = 0; ///< equals its position in LaunchPlan::values
  DataType dtype = DataType::F32;
  std::vector<Expr> shape;
  ValueKind kind = ValueKind::Temp;
  std::string name;    ///< Input, Output: the user's name; Weight: its key; Persistent: what it is, or empty
  int64_t source = -1; ///< View: viewed value. Output: value to copy, or -1
  int64_t over = -1;  ///< Output: the input whose memory it may have, as an update of it that nobody reads after; or -1
  int64_t offset = 0; ///< Constant: byte offset in constants.bin, a multiple of 64
  Expr size;          ///< Size
  std::string sha256; ///< Weight: of its bytes in hexadecimal, or empty
};

struct PlanLaunch {
  std::string kernel;
  std::vector<int64_t> operands, results;
  /// The size of every `?` of the operands' and results' types, in that order.
  std::vector<Expr> dims;
  bool programmatic = false; ///< CUDA: may start before the launch ahead of it has ended; see docs/pipeline.md
};

/// How the runtime encodes the tensor map of an argument, which TMA reads and writes boxes through. Innermost dimension
/// first, as the driver has it. Dimensions are over "d0", "d1", ..
struct PlanTensorMap {
  int64_t argument = 0; ///< position among operands, then results
  DataType dtype = DataType::F32;
  Expr offset = Expr::constant(0); ///< bytes into the argument
  std::vector<Expr> sizes;         ///< elements; rank 1 to 5
  std::vector<Expr> strides;       ///< bytes, of all dimensions but the innermost
  std::vector<int64_t> box;        ///< elements
  int64_t swizzle = 0;             ///< bytes: 0, 32, 64, 128
  int64_t l2Promotion = 0;         ///< bytes: 0, 64, 128, 256
  bool fillNan = false;            ///< what is read out of bounds is NaN, not 0
  bool roundsToTf32 = false;       ///< f32 is rounded to tf32 on its way: "dtype": "tf32"
};

/// What a kernel for CUDA has beside or in place of a CPU kernel's.
struct PlanCudaKernel {
  std::string cubin; ///< of the entry kernels/<cubin>.cubin
  std::array<Expr, 3> grid = {Expr::constant(1), Expr::constant(1), Expr::constant(1)}; ///< CTAs
  /// CTAs take turns: no more than so many a multiprocessor are launched, along x; 0: they do not.
  int64_t waveCtas = 0;
  std::array<int64_t, 3> block = {1, 1, 1};   ///< threads
  std::array<int64_t, 3> cluster = {1, 1, 1}; ///< CTAs
  Expr sharedBytes = Expr::constant(0);       ///< dynamic shared memory
  Expr zeroedBytes = Expr::constant(0);       ///< at the start of the workspace, 0 when the kernel starts
  /// At the start of the workspace: 0 at a context's first launch, and again when each launch has ended. All kernels of
  /// a plan that have counters have as many, and their workspaces lie where no other memory of the call does.
  int64_t counterBytes = 0;
  std::vector<PlanTensorMap> tensorMaps;
  std::vector<Expr> countedSizes; ///< elements, which the kernel counts in 32 bits: below 2^31, else it is refused
  /// The kernel that runs in its place when a tensor map cannot be encoded: a stride that is no multiple of 16. Has the
  /// same operands, results and dims, and no tensor maps. Empty: then that is an error.
  std::string fallback;
};

/// What runs at one launch. Expressions are over "d0", "d1", .. = PlanLaunch::dims.
struct PlanKernel {
  std::string symbol;
  Expr grid = Expr::constant(1);    ///< CPU
  Expr scratch = Expr::constant(0); ///< bytes: CPU of each thread, CUDA of the launch (its workspace)
  Expr flops = Expr::constant(0);
  Expr bytes = Expr::constant(0);
  std::string schedule; ///< how it was cut, for people; behind it a line each of what its pipeline is
  std::vector<std::string> sources;
  /// For each result the operand that it is an update of, -1 for most; empty where all are -1. The kernel writes a part
  /// of such a result: its memory holds the operand's bytes already, being the operand's own or copied before.
  std::vector<int64_t> updates;
  std::optional<PlanCudaKernel> cuda;
};

struct LaunchPlan {
  static constexpr int64_t cpuFormat = 1, cudaFormat = 2, updatesFormat = 3, tf32Format = 5; // 4: of several entries
  static constexpr int64_t currentFormat = tf32Format; ///< the newest that is read
  int64_t format = cpuFormat; ///< the oldest that can say the plan, so that older runtimes read what they can run
  std::string compiler;       ///< build of the compiler
  std::string target;         ///< "cpu:znver4", "cuda:sm_90a"
  std::vector<std::string> features; ///< host features the kernels need: "avx512f"
  std::string metadata;              ///< what a front end keeps with the model, for itself; may be empty
  std::vector<PlanDim> dims;
  std::vector<PlanCondition> conditions;
  std::vector<PlanValue> values;
  std::vector<int64_t> inputs, outputs; ///< ids in the order of the signature
  std::vector<PlanLaunch> init, launches;
  std::map<std::string, PlanKernel> kernels;
};

std::string_view valueKindName(ValueKind kind);
/// "equal", "at_most", "needs".
std::string_view relationName(PlanCondition::Relation relation);
/// Whether the kernels are cubins.
bool isCudaTarget(std::string_view target);
/// Of its kernels that have counters; 0 where none does.
int64_t counterBytesOf(const LaunchPlan &plan);

/// Bytes that a result must hold before its launch, where the two have memory of their own.
struct Update {
  int64_t from = 0, to = 0; ///< values: an operand and a result
  int64_t bytes = 0;
};
/// What a launch updates. `bytes`: of a value.
std::vector<Update> updatesOf(const LaunchPlan &plan, const PlanLaunch &launch,
                              const std::function<int64_t(int64_t id)> &bytes);

/// The value whose memory `id` is: what it views, through all views.
int64_t viewedValue(const LaunchPlan &plan, int64_t id);
/// The input that an output is an update of by its one launch, if nothing reads that input after it; -1 where not.
int64_t inputUnder(const LaunchPlan &plan, int64_t output);

/// Deterministic: same plan, same text.
std::string writeLaunchPlan(const LaunchPlan &plan);
/// Strict: unknown kinds, missing or ill-typed fields and every broken rule of validate() are Corrupt; a newer format
/// is Unsupported, named with both versions.
Result<LaunchPlan> readLaunchPlan(std::string_view json);
/// The rules a plan keeps: ids are positions; operands are defined before their use; results are Temp or Output (init:
/// Persistent) and written once; weights, constants and persistent values are static; views have a source of lower id.
Status validateLaunchPlan(const LaunchPlan &plan);
/// The part of it about CUDA: target and format, blocks, clusters, tensor maps, fallbacks.
Status validateCudaKernels(const LaunchPlan &plan);

} // namespace tenon
