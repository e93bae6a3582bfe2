// What the C API's opaque handles hold and how errors and structs cross it, shared by its run-only and its compiling
// half.
#pragma once

#include "lib/Runtime/Context.h"
#include "lib/Runtime/CudaContext.h"
#include "lib/Runtime/Program.h"
#include "tenon-c/tenon.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

struct tenon_error {
  tenon::ErrorKind kind;
  std::string message;
};

struct tenon_artefact {
  std::shared_ptr<const tenon::Artefact> artefact;
  std::string report; ///< JSON, of one that was compiled here
};

struct tenon_executable {
  std::shared_ptr<const tenon::Program> program;
  std::shared_ptr<const tenon::Executable> executable;
  /// Descriptions of inputs, then outputs; built once, never changed.
  struct Io {
    std::vector<int64_t> shape, lower, upper;
    std::vector<const char *> dims;
  };
  std::vector<Io> io;
};

struct tenon_context {
  explicit tenon_context(std::shared_ptr<const tenon::Executable> executable) : context(std::move(executable)) {}
  tenon::Context context;
  // Kept between calls so that a call allocates nothing.
  std::vector<tenon::TensorRef> inputs, outputs;
  std::vector<std::vector<int64_t>> outputShapes;
  std::vector<std::string> timedKernels; ///< names that the last tenon_context_time_launches gave
};

struct tenon_graph {
  std::shared_ptr<tenon::cuda::Graph> graph;
  std::vector<tenon::TensorRef> inputs, outputs; ///< of the call
};

namespace tenon::capi {

/// Null for success.
inline tenon_error *toError(const Status &status) {
  return status.ok() ? nullptr : new tenon_error{status.kind(), status.message()};
}

/// No exception leaves a function: the only ones that the code below the C API may throw are of the allocator and of
/// the standard library, and those become errors too.
template <typename Function>
tenon_error *guarded(Function function) {
  try {
    return toError(function());
  } catch (const std::bad_alloc &) {
    return toError(outOfMemory("no memory for the bookkeeping of this call"));
  } catch (const std::exception &error) {
    return toError(internalError(error.what()));
  }
}

/// Copies what both sides know of a struct; the rest of `to` keeps its defaults. Null leaves all of them.
template <typename Struct>
Status readStruct(const Struct *from, Struct &to, const char *what) {
  if (!from)
    return {};
  if (from->struct_size < sizeof(size_t) || from->struct_size > 4096)
    return invalidArgument(std::string(what) + ": struct_size is " + std::to_string(from->struct_size) +
                           ", expected sizeof of the struct");
  std::memcpy(&to, from, std::min(from->struct_size, sizeof(Struct)));
  return {};
}

/// The tensors of a caller whose tenon_tensor may be older or newer than this library's. `what`: "input".
Status readTensor(const tenon_tensor *from, const std::string &what, TensorRef &to);
Status readTensors(const tenon_tensor *from, size_t count, const char *what, std::vector<TensorRef> &to);

} // namespace tenon::capi
