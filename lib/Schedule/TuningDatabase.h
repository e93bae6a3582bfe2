// Schedules that were measured: what `tenon-tune` found fastest on a device, so that compilations without one choose
// it. A file of lines, each a JSON object: the first names the format, each other is a record. Records are in the order
// of their keys, so that two files merge to the same bytes in either order and a difference is read line by line
// (python-frontend/tenon/tune/database.py writes them). Free of IR.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

/// What decides which schedule of a kernel is fast. docs/guides/tuning.md says what the words mean.
struct TuningKey {
  std::string op;       ///< "product nt"
  std::string shape;    ///< "1x4096x14336x4096": batch, class of the rows, columns, depth
  std::string types;    ///< "bf16*bf16->bf16"
  std::string epilogue; ///< "addf(n) mulf mulf erfc mulf", empty for none
  std::string arch;     ///< "sm_90a"
};
bool operator<(const TuningKey &a, const TuningKey &b);

struct TuningRecord {
  TuningKey key;
  std::string build; ///< version of the compiler that made the kernels
  std::string schedule, modelSchedule;
  double seconds = 0, modelSeconds = 0; ///< of these two, measured side by side
  int64_t candidates = 0;               ///< that were measured
  std::string device, date;
  std::string source; ///< "the database FILE"
};

/// The most rows of a class: 1, 16, 32, 64 or a multiple of 128. All of a class are as many programs with the tiles
/// that suit it, those of 128 rows, or half as many as the class, and more.
int64_t tuningRowsOf(int64_t rows);

class TuningDatabase {
public:
  /// The records of a file's text, which `name` is called in messages. Errors: Corrupt, Unsupported for a format of
  /// another version.
  static Result<TuningDatabase> parse(std::string_view text, const std::string &name);
  /// What `setting` says: empty, the database that comes with Tenon; "none", no records; else a file, whose records go
  /// before those that come with Tenon.
  static Result<TuningDatabase> open(const std::string &setting);

  /// The record of the key, of `build` where there is one, else the newest; null where there is none.
  const TuningRecord *find(const TuningKey &key, std::string_view build) const;
  std::vector<const TuningRecord *> records() const;

private:
  std::map<TuningKey, std::vector<TuningRecord>> byKey;
};

} // namespace tenon
