#include "lib/Runtime/Program.h"

#include "lib/Runtime/StaticValues.h"

namespace tenon {

Result<std::shared_ptr<const Program>> Program::load(std::shared_ptr<const Artefact> artefact,
                                                     std::shared_ptr<const WeightSource> weights, int device) {
  TENON_TRY_ASSIGN(weights, weightsOf(*artefact, std::move(weights)));
  std::vector<const LaunchPlan *> plans;
  for (const ArtefactEntry &entry : artefact->entries)
    plans.push_back(&entry.plan);
  SharedValues shared(plans);
  auto program = std::make_shared<Program>();
  program->artefact = std::move(artefact);
  for (const ArtefactEntry &entry : program->artefact->entries) {
    Result<std::shared_ptr<const Executable>> loaded =
        Executable::load(program->artefact, entry, weights, device, &shared);
    if (!loaded.ok())
      return plans.size() == 1 ? loaded.status() : loaded.status().in("entry '" + entry.name + "'");
    program->executables.push_back(loaded.take());
  }
  return std::shared_ptr<const Program>(std::move(program));
}

Result<size_t> Program::find(const std::string &name) const {
  TENON_TRY_ASSIGN(const ArtefactEntry *found, findEntry(*artefact, name));
  return static_cast<size_t>(found - artefact->entries.data());
}

int64_t Program::persistentBytes() const {
  int64_t bytes = 0;
  for (const std::shared_ptr<const Executable> &each : executables)
    bytes += each->persistentBytes();
  return bytes;
}

} // namespace tenon
