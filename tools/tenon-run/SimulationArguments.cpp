#include "tools/tenon-run/SimulationArguments.h"

#include "lib/Support/AtomicFile.h"

namespace tenon::tool {

void SimulationArguments::addTo(CommandLine &line) {
  line.integer("sim-seed", "N", "another order of the simulator's threads (default: 0, as they are numbered)", 0, seed);
  line.integer("sim-seeds", "N", "N orders of them, from that seed on, until one has findings", 1, numSeeds);
  line.integer("sim-threads", "N",
               "threads of this machine that run simulated CTAs, at most (default: 0, as many as there are)", 0,
               threads);
  line.text("sim-check", "LIST", "what the simulator looks for (default: races,init,deadlock)", check);
  line.text("sim-trace", "FILE", "what simulated warps do when, as JSON for Perfetto or chrome://tracing", trace);
  line.flag("sim-counts", "bank conflicts and sectors of global memory in the simulator, op by op", counts);
  line.flag("sim-short-sums", "products of fp8 are added up in 14 bits in the simulator, as an H100 does", shortSums);
}

Result<sim::Options> SimulationArguments::options() const {
  sim::Options options;
  TENON_TRY(sim::setChecks(options, check));
  options.seed = static_cast<uint64_t>(seed);
  options.numSeeds = numSeeds;
  options.hostThreads = threads;
  options.counts = counts;
  options.shortSums = shortSums;
  return options;
}

std::vector<std::vector<std::string>> countRows(const std::vector<sim::AccessCount> &counts,
                                                const std::vector<sim::Site> &sites) {
  std::vector<std::vector<std::string>> rows;
  auto text = [](uint64_t number, const char *what) { return std::to_string(number) + " " + what; };
  for (const sim::AccessCount &count : counts) {
    const sim::Site &site = sites[count.site];
    rows.push_back({count.isShared ? "shared" : "global", site.op, site.location, text(count.accesses, "accesses"),
                    text(count.bytes, "bytes"),
                    count.isShared ? text(count.turns, "turns") : text(count.sectors, "sectors"),
                    count.isShared ? text(count.conflicts, "conflicts") : ""});
  }
  return rows;
}

Status writeTrace(const sim::Trace &trace, const std::string &file) { return writeFileAtomically(file, trace.json()); }

} // namespace tenon::tool
