#include "lib/Sim/Counts.h"

#include <algorithm>
#include <set>

namespace tenon::sim {

static constexpr uint32_t numBanks = 32, bankBytes = 4, sectorBytes = 32, warpSize = 32;
static constexpr size_t mostPending = 4096; // accesses of some lanes that the others may not make at all

void Counts::touch(uint32_t warp, uint32_t lane, uint32_t lanesOfWarp, uint32_t site, uint64_t address, uint32_t bytes,
                   bool isShared) {
  Pending &pending = warps[{warp, site, isShared}];
  uint64_t number = std::max(pending.next[lane], pending.first);
  pending.next[lane] = number + 1;
  if (number - pending.first >= pending.accesses.size())
    pending.accesses.emplace_back();
  Lanes &access = pending.accesses[static_cast<size_t>(number - pending.first)];
  access.addresses[lane] = address;
  access.bytes = bytes;
  access.mask |= 1U << lane;
  ++access.numLanes;
  while (!pending.accesses.empty() &&
         (pending.accesses.front().numLanes == lanesOfWarp || pending.accesses.size() > mostPending)) {
    finish(site, pending.accesses.front(), isShared);
    pending.accesses.pop_front();
    ++pending.first;
  }
}

/// Shared memory serves 32 banks of 4 bytes at once, in parts of a warp where lanes have 8 bytes or 16; two lanes that
/// want different words of a bank take turns.
void Counts::finish(uint32_t site, const Lanes &access, bool isShared) {
  AccessCount &count = of(site, isShared);
  ++count.accesses;
  count.bytes += uint64_t{access.numLanes} * access.bytes;
  if (!isShared) {
    std::set<uint64_t> sectors;
    for (uint32_t lane = 0; lane < warpSize; ++lane)
      if (access.mask >> lane & 1)
        for (uint64_t at = access.addresses[lane] / sectorBytes;
             at <= (access.addresses[lane] + access.bytes - 1) / sectorBytes; ++at)
          sectors.insert(at);
    count.sectors += sectors.size();
    return;
  }
  uint32_t parts = std::max(access.bytes / bankBytes, 1U), lanesOfPart = warpSize / parts;
  for (uint32_t part = 0; part < parts; ++part) {
    std::array<std::set<uint64_t>, numBanks> words;
    bool isUsed = false;
    for (uint32_t lane = part * lanesOfPart; lane < (part + 1) * lanesOfPart; ++lane)
      if (access.mask >> lane & 1)
        for (uint64_t at = access.addresses[lane] / bankBytes;
             at <= (access.addresses[lane] + access.bytes - 1) / bankBytes; ++at) {
          words[at % numBanks].insert(at);
          isUsed = true;
        }
    size_t turns = 0;
    for (const auto &bank : words)
      turns = std::max(turns, bank.size());
    count.turns += turns;
    count.conflicts += isUsed ? turns - 1 : 0;
  }
}

void Counts::bulkRow(uint32_t site, uint64_t address, uint32_t bytes) {
  AccessCount &count = of(site, false);
  count.bytes += bytes;
  count.sectors += (address + bytes - 1) / sectorBytes - address / sectorBytes + 1;
}

void Counts::add(const Counts &other) {
  for (const auto &[site, theirs] : other.counts) {
    AccessCount &count = of(site.first, site.second);
    count.accesses += theirs.accesses;
    count.bytes += theirs.bytes;
    count.sectors += theirs.sectors;
    count.turns += theirs.turns;
    count.conflicts += theirs.conflicts;
  }
}

void Counts::endCta() {
  for (const auto &[key, pending] : warps)
    for (const Lanes &access : pending.accesses)
      finish(key[1], access, key[2] != 0);
  warps.clear();
}

} // namespace tenon::sim
