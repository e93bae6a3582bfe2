// What a thread has little of: registers, which setmaxnreg moves between warps, and its stack.
#include "lib/Sim/Cta.h"

#include <algorithm>

namespace tenon::sim {

static constexpr uint32_t warpSize = 32;

uint32_t Cta::registersAtLaunch() const {
  constexpr uint32_t ofMultiprocessor = 65536, mostOfThread = 255, granularity = 8;
  return std::min(mostOfThread, ofMultiprocessor / (warpsOfCta() * warpSize)) / granularity * granularity;
}

uint32_t Cta::registersHeld() const {
  uint32_t held = 0;
  uint32_t first = threads[running].rank * warpsOfCta();
  for (uint32_t warp = first; warp < first + warpsOfCta(); ++warp)
    held += warpRegisters[warp];
  return held;
}

void Cta::setRegisters(uint32_t count, bool isIncrease, uint32_t site) {
  hasProgress = true;
  Thread &self = thread();
  uint32_t &mine = warpRegisters[self.warp];
  if (isIncrease ? count < mine && mine != registersAtLaunch() : count > mine)
    fault(FindingKind::Misuse,
          threadText() + " executes " + siteText(site) + " with " + std::to_string(count) +
              " registers; its warp has " + std::to_string(mine),
          site);
  while (isIncrease && mine != count && registersHeld() - mine + count > warpsOfCta() * registersAtLaunch()) {
    wait(site, /*isAligned=*/false, -1, count);
  }
  mine = count;
  for (Thread &other : threads)
    if (other.state == ThreadState::Waiting && other.registers != 0) {
      other.state = ThreadState::Ready;
      other.registers = 0;
    }
}

void Cta::requireStack(size_t bytes, uint32_t site) {
  auto now = static_cast<const char *>(__builtin_frame_address(0));
  if (static_cast<size_t>(now - thread().stack) < bytes)
    fault(FindingKind::StackOverflow, overflowText(site), site);
}

} // namespace tenon::sim
