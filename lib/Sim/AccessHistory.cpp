#include "lib/Sim/AccessHistory.h"

#include <algorithm>

namespace tenon::sim {

void AccessHistory::reset(int64_t bytes, int64_t initialised) {
  cells.assign(static_cast<size_t>(bytes), Cell());
  for (int64_t at = 0; at < std::min(bytes, initialised); ++at)
    cells[at].write = beforeLaunch;
  records.assign(2, Access()); // 0: none, 1: before the launch
  readNodes.assign(1, Read());
  freeReads = 0;
}

uint32_t AccessHistory::record(const Access &access) {
  records.push_back(access);
  return static_cast<uint32_t>(records.size() - 1);
}

bool AccessHistory::isOrdered(uint32_t earlier, const Access &mine, const Actor &actor, const uint32_t *clocks) const {
  if (earlier <= beforeLaunch)
    return true;
  const Access &other = records[earlier];
  if (other.isAtomic && mine.isAtomic)
    return true;
  return other.cta == actor.cta && (other.thread == actor.thread || clocks[other.thread] >= other.moment);
}

void AccessHistory::read(Cell &cell, uint32_t mine, const Actor &actor) {
  // What this read comes after, no later write needs to be compared with.
  uint32_t *link = &cell.reads;
  while (*link != 0) {
    Read &node = readNodes[*link];
    const Access &other = records[node.record];
    if (other.cta == actor.cta && (other.thread == actor.thread || actor.clocks[other.thread] >= other.moment)) {
      uint32_t gone = *link;
      *link = node.next;
      readNodes[gone].next = freeReads;
      freeReads = gone;
    } else {
      link = &node.next;
    }
  }
  uint32_t node = freeReads;
  if (node != 0) {
    freeReads = readNodes[node].next;
  } else {
    node = static_cast<uint32_t>(readNodes.size());
    readNodes.emplace_back();
  }
  readNodes[node] = {mine, cell.reads};
  cell.reads = node;
}

void AccessHistory::access(const Access &access, const Actor &actor, const Found &found) {
  uint32_t mine = record(access);
  uint32_t told = 0; // the record of the last conflict told: neighbours share it
  bool toldUninitialised = false;
  auto tell = [&](Conflict conflict, uint32_t other, uint64_t at) {
    if (other != told)
      found(conflict, access, &records[other], at);
    told = other;
  };
  for (uint64_t at = access.first; at < access.first + access.bytes; ++at) {
    Cell &cell = cells[at];
    if (cell.copy != 0)
      tell(Conflict::AsyncCopy, cell.copy, at);
    else if (!isOrdered(cell.write, access, actor, actor.clocks))
      tell(actor.unfenced && isOrdered(cell.write, access, actor, actor.unfenced) ? Conflict::MissingFence
                                                                                  : Conflict::Race,
           cell.write, at);
    if (!access.isWrite) {
      if (cell.write == 0 && cell.copy == 0 && !toldUninitialised) {
        toldUninitialised = true;
        found(Conflict::Uninitialised, access, nullptr, at);
      }
      read(cell, mine, actor);
      continue;
    }
    if (access.isAtomic && cell.write == 0 && cell.copy == 0 && !toldUninitialised) {
      toldUninitialised = true;
      found(Conflict::Uninitialised, access, nullptr, at);
    }
    for (uint32_t node = cell.reads; node != 0; node = readNodes[node].next)
      // What was read needs no fence before it is written.
      if (!isOrdered(readNodes[node].record, access, actor, actor.unfenced ? actor.unfenced : actor.clocks)) {
        tell(Conflict::Race, readNodes[node].record, at);
        break;
      }
    while (cell.reads != 0) {
      uint32_t gone = cell.reads;
      cell.reads = readNodes[gone].next;
      readNodes[gone].next = freeReads;
      freeReads = gone;
    }
    cell.write = mine;
  }
}

uint32_t AccessHistory::beginCopy(const Access &access, const Actor &actor, const Found &found) {
  this->access(access, actor, found);
  uint32_t copy = cells[access.first].write;
  for (uint64_t at = access.first; at < access.first + access.bytes; ++at)
    cells[at].copy = copy;
  return copy;
}

void AccessHistory::completeCopy(uint32_t copy, uint32_t thread, uint32_t moment) {
  Access done = records[copy];
  done.thread = thread;
  done.moment = moment;
  uint32_t mine = record(done);
  for (uint64_t at = done.first; at < done.first + done.bytes; ++at)
    if (cells[at].copy == copy) { // else a later copy took the byte, which was told
      cells[at].copy = 0;
      cells[at].write = mine;
    }
}

} // namespace tenon::sim
