#include "lib/Sim/DeviceFunctions.h"

#include <algorithm>

namespace tenon::sim {

const std::vector<DeviceFunction> &deviceFunctions() {
  static const std::vector<DeviceFunction> table = [] {
    std::vector<DeviceFunction> made;
    addMathFunctions(made);
    addMatrixFunctions(made);
    addMemoryFunctions(made);
    addStoreFunctions(made);
    addThreadFunctions(made);
    addTransferFunctions(made);
    addUpdateFunctions(made);
    addWarpgroupFunctions(made);
    return made;
  }();
  return table;
}

bool hasDeviceFunction(std::string_view name) {
  const auto &table = deviceFunctions();
  return std::any_of(table.begin(), table.end(), [&](const DeviceFunction &each) { return each.name == name; });
}

} // namespace tenon::sim
