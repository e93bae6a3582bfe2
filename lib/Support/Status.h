// Errors as values. Whatever comes from outside (files, shapes, the operating system) may be wrong, and every caller
// up to the C API must be able to say what, where, what was expected and what to do next. A Status is success or a
// kind plus that message; a Result<T> is a value or a Status. Nothing here throws.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace tenon {

/// Device: a GPU failed in a way that this process cannot mend. Append only: the C API has the same values.
enum class ErrorKind { InvalidArgument, NotFound, Corrupt, Unsupported, OutOfMemory, Io, Internal, Device };

inline const char *errorKindName(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::InvalidArgument:
    return "invalid argument";
  case ErrorKind::NotFound:
    return "not found";
  case ErrorKind::Corrupt:
    return "corrupt";
  case ErrorKind::Unsupported:
    return "unsupported";
  case ErrorKind::OutOfMemory:
    return "out of memory";
  case ErrorKind::Io:
    return "input/output";
  case ErrorKind::Internal:
    return "internal";
  case ErrorKind::Device:
    return "device";
  }
  return "internal";
}

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(ErrorKind kind, std::string message) : error(std::make_pair(kind, std::move(message))) {}

  bool ok() const { return !error; }
  explicit operator bool() const { return ok(); }
  ErrorKind kind() const {
    assert(error && "a success has no kind");
    return error->first;
  }
  const std::string &message() const {
    static const std::string none;
    return error ? error->second : none;
  }
  /// The same error, its message led by `where` (a file, an argument).
  Status in(const std::string &where) const { return ok() ? *this : Status(kind(), where + ": " + message()); }

private:
  std::optional<std::pair<ErrorKind, std::string>> error;
};

inline Status invalidArgument(std::string message) { return {ErrorKind::InvalidArgument, std::move(message)}; }
inline Status notFound(std::string message) { return {ErrorKind::NotFound, std::move(message)}; }
inline Status corrupt(std::string message) { return {ErrorKind::Corrupt, std::move(message)}; }
inline Status unsupported(std::string message) { return {ErrorKind::Unsupported, std::move(message)}; }
inline Status outOfMemory(std::string message) { return {ErrorKind::OutOfMemory, std::move(message)}; }
inline Status ioError(std::string message) { return {ErrorKind::Io, std::move(message)}; }
inline Status internalError(std::string message) { return {ErrorKind::Internal, std::move(message)}; }
inline Status deviceError(std::string message) { return {ErrorKind::Device, std::move(message)}; }

template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)) {}
  Result(Status error) : error(std::move(error)) { assert(!this->error.ok() && "an error must say what went wrong"); }

  bool ok() const { return value.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status &status() const { return error; }
  T &operator*() { return *value; }
  const T &operator*() const { return *value; }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }
  T take() { return std::move(*value); }

private:
  std::optional<T> value;
  Status error;
};

} // namespace tenon

/// Leaves the function with the error of `expression`, a Status, if it has one.
#define TENON_TRY(expression)                                                                                          \
  do {                                                                                                                 \
    if (::tenon::Status tenonStatus = (expression); !tenonStatus.ok())                                                 \
      return tenonStatus;                                                                                              \
  } while (false)

#define TENON_JOIN2(a, b) a##b
#define TENON_JOIN(a, b) TENON_JOIN2(a, b)
/// `TENON_TRY_ASSIGN(auto x, f())`: x is the value of the Result, or the function is left with its error.
#define TENON_TRY_ASSIGN(declaration, expression)                                                                      \
  auto TENON_JOIN(tenonResult, __LINE__) = (expression);                                                               \
  if (!TENON_JOIN(tenonResult, __LINE__).ok())                                                                         \
    return TENON_JOIN(tenonResult, __LINE__).status();                                                                 \
  declaration = TENON_JOIN(tenonResult, __LINE__).take()
