// What the C API's opaque handles hold, shared by its run-only and its compiling half.
#pragma once

#include "lib/Runtime/Context.h"
#include "tenon-c/tenon.h"

#include <string>
#include <vector>

struct tenon_error {
  tenon::ErrorKind kind;
  std::string message;
};

struct tenon_artefact {
  std::shared_ptr<const tenon::Artefact> artefact;
};

struct tenon_executable {
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
};

namespace tenon::capi {

/// Null for success.
inline tenon_error *toError(const Status &status) {
  return status.ok() ? nullptr : new tenon_error{status.kind(), status.message()};
}

} // namespace tenon::capi
