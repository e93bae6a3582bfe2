#include "lib/Sim/Report.h"

namespace tenon::sim {

const char *findingKindName(FindingKind kind) {
  switch (kind) {
  case FindingKind::Race:
    return "race";
  case FindingKind::AsyncCopy:
    return "asynchronous copy";
  case FindingKind::Uninitialised:
    return "uninitialised";
  case FindingKind::OutOfBounds:
    return "out of bounds";
  case FindingKind::Misaligned:
    return "misaligned";
  case FindingKind::Deadlock:
    return "deadlock";
  case FindingKind::Divergence:
    return "divergence";
  case FindingKind::Misuse:
    return "misuse";
  case FindingKind::StackOverflow:
    return "stack overflow";
  }
  return "misuse";
}

const Finding *Report::find(FindingKind kind) const {
  for (const Finding &finding : findings)
    if (finding.kind == kind)
      return &finding;
  return nullptr;
}

std::string Report::text() const {
  std::string lines;
  for (const Finding &finding : findings)
    lines += std::string(findingKindName(finding.kind)) + ": " + finding.text + "\n";
  if (seed != 0 && !findings.empty())
    lines += "in the order of seed " + std::to_string(seed) + "\n";
  if (numRepeats > 0)
    lines += std::to_string(numRepeats) + " more like " + (findings.size() == 1 ? "it" : "them") + "\n";
  return lines;
}

} // namespace tenon::sim
