// All entries of an artefact, loaded together: weights are in memory once, on the GPU if that is where they run, and
// what launches at load make of them is made once, where it goes by the same name in several entries.
#pragma once

#include "lib/Runtime/Executable.h"

namespace tenon {

class Program {
public:
  /// `weights` overrides the ones inside. `device`: which GPU, where it is for one.
  static Result<std::shared_ptr<const Program>>
  load(std::shared_ptr<const Artefact> artefact, std::shared_ptr<const WeightSource> weights = nullptr, int device = 0);

  size_t numEntries() const { return executables.size(); }
  const std::string &name(size_t entry) const { return artefact->entries[entry].name; }
  const std::shared_ptr<const Executable> &entry(size_t entry) const { return executables[entry]; }
  /// The number of the entry of this name; NotFound lists the names there are.
  Result<size_t> find(const std::string &name) const;
  /// Executable::persistentBytes() of all.
  int64_t persistentBytes() const;

private:
  std::shared_ptr<const Artefact> artefact;
  std::vector<std::shared_ptr<const Executable>> executables;
};

} // namespace tenon
