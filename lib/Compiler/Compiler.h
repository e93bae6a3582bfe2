// From text to an artefact: the one way through the compiler, used by tenon-compile, tenon-run, the C API and Python.
// Free of IR, so that a program may include it beside the runtime. The text is not trusted: its size and nesting are
// checked before the parser sees it, and every error is a Status that says what, where and what to do.
#pragma once

#include "lib/Runtime/KernelLibrary.h"
#include "lib/Runtime/LaunchPlan.h"
#include "lib/Support/Status.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct CompileOptions {
  std::string filename = "model.mlir"; ///< what the text goes by in messages
  std::string target = "cpu"; ///< "cpu": this machine; "cpu:<llvm name>"; "sm_90a"; "cuda": this machine's GPU;
                              ///< "sim:sm_90a": the device simulator
  std::string from = "graph"; ///< first phase; "artefact": the text is past them all
  std::string dumpDir; ///< empty, or a folder that gets the IR after every phase, kernels.ll and kernels.s; for a GPU
                       ///< kernels/<name>.ll, .ptx and .ptxas.txt
  std::string ptxas;   ///< for a GPU, the path of the assembler; empty: looked for
  std::string reproducer;      ///< empty, or a file that gets IR and pipeline if a pass fails or crashes
  bool failOnFallback = false; ///< for a GPU: a kernel without a program on tiles is an error
  bool tf32 = false;           ///< for a GPU: products of f32 may be rounded to tf32, on its Tensor Cores
  std::string schedules; ///< for a GPU, a file of lines `@kernel = #tile.gemm<..>` or `#warp.schedule<..>`, or empty
  std::string tuning; ///< for a GPU, a file of measured schedules, "none", or empty: TENON_TUNING, else those that come
                      ///< with Tenon
  bool lineInfo = false; ///< for a GPU: cubins say which of the model's lines an instruction is of, for profilers
  bool remarks = false;  ///< collect what passes did and did not do
  bool keepModel = true; ///< keep the model as read, where that is a graph
  std::string entry;     ///< of a text with several entries the only one that is compiled, or empty: all
  bool oneEntry = false; ///< a text with several is an error, unless `entry` says which
};

struct Remark {
  std::string kind;     ///< "passed", "missed", "failure", "analysis"
  std::string category; ///< the pass
  std::string location; ///< "file:line:column", or empty
  std::string message;
};

/// What became of a kernel for a GPU.
struct KernelCode {
  std::string name;
  int64_t registers = 0;                  ///< of a thread
  int64_t instructions = 0;               ///< in its code
  int64_t tensorCore = 0;                 ///< of them, those that the Tensor Cores execute
  std::map<std::string, int64_t> opcodes; ///< how often each machine instruction with a name in Cubin.h stands there
};

struct CompileReport {
  std::vector<std::pair<std::string, double>> seconds; ///< a step and its time, in order
  std::vector<KernelCode> kernels;                     ///< by name; empty for a CPU
  std::vector<Remark> remarks;
};

/// What a compilation made of one entry.
struct CompiledEntry {
  std::string name;
  LaunchPlan plan;
  std::vector<std::string> objects;          ///< for a CPU: relocatable ELF with the kernels
  std::map<std::string, std::string> cubins; ///< for a GPU, by PlanCudaKernel::cubin
  std::string constants;                     ///< constants.bin
};

/// What a compilation made.
struct Compilation {
  std::vector<CompiledEntry> entries; ///< at least one
  std::string model;                  ///< the IR as read, where kept
  CompileReport report;
};

/// Whether the target and the phases that are named exist, and the phases in this order; `to` may be "artefact". For a
/// caller that would tell a wrong argument from a model that does not compile.
Status checkUse(const CompileOptions &options, const std::string &to = "artefact");

/// A text is a module with a function @main, or one of modules with names and such a function each: a model with an
/// entry for each of them, which share weights.
Result<Compilation> compile(std::string_view text, const CompileOptions &options);

/// Runs the phases `options.from` to `to` and gives the IR after the last, of entries in their modules.
Result<std::string> compileTo(std::string_view text, const CompileOptions &options, const std::string &to,
                              CompileReport *report = nullptr);

/// The artefact of a compilation: its cubins, or its kernels linked to shared objects. `weights`: safetensors bytes to
/// put in, or empty.
Result<std::string> makeArtefact(const Compilation &compilation, std::string_view weights = {});

/// The kernels of relocatable objects, linked into this process.
Result<std::shared_ptr<KernelLibrary>> loadObjects(const std::vector<std::string> &objects);

} // namespace tenon
