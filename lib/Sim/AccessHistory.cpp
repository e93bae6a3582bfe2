#include "lib/Sim/AccessHistory.h"

#include <algorithm>

namespace tenon::sim {

void AccessHistory::reset(int64_t bytes, int64_t initialised) {
  auto numBytes = static_cast<uint64_t>(bytes), known = static_cast<uint64_t>(std::min(bytes, initialised));
  words.assign((numBytes + wordBytes - 1) / wordBytes, Cell());
  splitOf.assign(words.size(), 0);
  splits.clear();
  records.assign(2, Access()); // 0: none, 1: before the launch
  readNodes.assign(1, Read());
  freeReads = 0;
  forEachCell(0, known, [](Cell &cell, uint64_t) { cell.write = beforeLaunch; });
}

AccessHistory::Split &AccessHistory::split(uint64_t word) {
  if (splitOf[word] == 0) {
    splits.emplace_back();
    splitOf[word] = static_cast<uint32_t>(splits.size());
    for (Cell &cell : splits.back()) {
      cell = words[word];
      cell.reads = cell.numReads = 0;
      for (uint32_t node = words[word].reads; node != 0; node = readNodes[node].next)
        addRead(cell, readNodes[node].record);
    }
    dropReads(words[word], nullptr);
  }
  return splits[splitOf[word] - 1];
}

template <typename Visit>
void AccessHistory::forEachCell(uint64_t first, uint64_t bytes, Visit &&visit) {
  for (uint64_t at = first, end = first + bytes; at < end;) {
    uint64_t word = at / wordBytes, wordEnd = (word + 1) * wordBytes, until = std::min(end, wordEnd);
    if (until - at == wordBytes && splitOf[word] == 0) {
      visit(words[word], at);
    } else {
      Split &cells = split(word);
      for (uint64_t each = at; each < until; ++each)
        visit(cells[each % wordBytes], each);
    }
    at = until;
  }
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
  if (other.cta == actor.cta)
    return other.thread == actor.thread || clocks[other.thread] >= other.moment;
  return actor.learnt && std::any_of(actor.learnt->begin(), actor.learnt->end(), [&](const Learnt &each) {
           if (each.thread != actor.thread && clocks[each.thread] < each.moment)
             return false;
           auto known = each.clocks.find(other.cta);
           return known != each.clocks.end() && known->second[other.thread] >= other.moment;
         });
}

void AccessHistory::addRead(Cell &cell, uint32_t mine) {
  uint32_t node = freeReads;
  if (node != 0) {
    freeReads = readNodes[node].next;
  } else {
    node = static_cast<uint32_t>(readNodes.size());
    readNodes.emplace_back();
  }
  readNodes[node] = {mine, cell.reads};
  cell.reads = node;
  ++cell.numReads;
}

/// All of them, or those that the actor comes after.
void AccessHistory::dropReads(Cell &cell, const Actor *after) {
  for (uint32_t *link = &cell.reads; *link != 0;) {
    Read &node = readNodes[*link];
    const Access &other = records[node.record];
    if (after &&
        (other.cta != after->cta || (other.thread != after->thread && after->clocks[other.thread] < other.moment))) {
      link = &node.next;
      continue;
    }
    uint32_t gone = *link;
    *link = node.next;
    readNodes[gone].next = freeReads;
    freeReads = gone;
    --cell.numReads;
  }
}

void AccessHistory::read(Cell &cell, uint32_t mine, const Actor &actor) {
  if (cell.reads != 0) {
    const Access &last = records[readNodes[cell.reads].record];
    if (last.cta == actor.cta && last.thread == actor.thread && last.moment == records[mine].moment)
      return;
  }
  // What this read comes after, no later write needs to be compared with. Looked for now and then, so that a read costs
  // no more on average than a few steps.
  if (cell.numReads >= cell.mostReads) {
    dropReads(cell, &actor);
    cell.mostReads = std::max(firstMostReads, 2 * cell.numReads);
  }
  addRead(cell, mine);
}

/// What the access lacks that is not ordered after the write.
Conflict AccessHistory::conflictWith(uint32_t write, bool isUnderWay, const Access &mine, const Actor &actor) const {
  const Access &other = records[write];
  if (!isUnderWay && actor.unfenced && isOrdered(write, mine, actor, actor.unfenced))
    return Conflict::MissingFence;
  bool lacksWait = other.copy == Copy::Load || (other.copy == Copy::Store && isUnderWay) ||
                   (other.copy == Copy::OfThread &&
                    isOrdered(other.issue, mine, actor, actor.unfenced ? actor.unfenced : actor.clocks));
  return lacksWait ? Conflict::AsyncCopy : Conflict::Race;
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
  forEachCell(access.first, access.bytes, [&](Cell &cell, uint64_t at) {
    if (cell.copy != 0 && !(access.isAtomic && records[cell.copy].isAtomic))
      tell(conflictWith(cell.copy, /*isUnderWay=*/true, access, actor), cell.copy, at);
    else if (cell.copy == 0 && !isOrdered(cell.write, access, actor, actor.clocks))
      tell(conflictWith(cell.write, /*isUnderWay=*/false, access, actor), cell.write, at);
    bool isUnwritten = cell.write == 0 && cell.copy == 0;
    if (isUnwritten && (!access.isWrite || access.isUpdate) && !toldUninitialised) {
      toldUninitialised = records[mine].isUnwritten = true;
      found(Conflict::Uninitialised, access, nullptr, at);
    }
    if (!access.isWrite) {
      read(cell, mine, actor);
      return;
    }
    bool isTold = false;
    for (uint32_t node = cell.reads; node != 0; node = readNodes[node].next) {
      uint32_t other = readNodes[node].record;
      // What was read needs no fence before it is written.
      if (isOrdered(other, access, actor, actor.reads))
        continue;
      if (!isTold)
        tell(Conflict::Race, other, at);
      isTold = true;
      if (records[other].isUnwritten)
        found(Conflict::WrittenLate, access, &records[other], at);
      records[other].isUnwritten = false;
    }
    dropReads(cell, nullptr);
    cell.write = mine;
  });
}

uint32_t AccessHistory::beginCopy(const Access &access, const Actor &actor, const Found &found) {
  this->access(access, actor, found);
  auto copy = static_cast<uint32_t>(records.size() - 1);
  records[copy].issue = copy;
  forEachCell(access.first, access.bytes, [&](Cell &cell, uint64_t) { cell.copy = copy; });
  return copy;
}

void AccessHistory::completeCopy(uint32_t copy, uint32_t thread, uint32_t moment) {
  Access done = records[copy];
  done.thread = thread;
  done.moment = moment;
  uint32_t mine = record(done);
  forEachCell(done.first, done.bytes, [&](Cell &cell, uint64_t) {
    if (cell.copy != copy) // a later copy took the byte, which was told
      return;
    cell.copy = 0;
    cell.write = mine;
  });
}

} // namespace tenon::sim
