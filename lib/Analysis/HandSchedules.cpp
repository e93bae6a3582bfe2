#include "lib/Analysis/HandSchedules.h"

#include "dialects/Tile/Tile.h"
#include "dialects/Warp/Warp.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace tenon {

FailureOr<HandSchedules> readHandSchedules(ModuleOp module, StringRef path) {
  HandSchedules schedules;
  if (path.empty())
    return schedules;
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return module.emitError() << "file of schedules '" << path << "' cannot be read: " << buffer.getError().message();
  SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n');
  for (size_t number = 0; number < lines.size(); ++number) {
    StringRef text = lines[number].split("//").first.trim();
    if (text.empty())
      continue;
    auto [name, value] = text.split('=');
    auto refuse = [&](const Twine &why) {
      return module.emitError() << path << ":" << number + 1 << ": " << why
                                << "; a line is `@kernel = #tile.gemm<..>`, `#tile.attention<..>`, `#tile.row<..>` or "
                                   "`#warp.schedule<..>`";
    };
    name = name.trim();
    if (!name.consume_front("@") || name.empty() || value.empty())
      return refuse("'" + text + "' names no kernel and its schedule");
    Attribute schedule = parseAttribute(value.trim(), module.getContext());
    bool isWarp = isa_and_nonnull<warp::ScheduleAttr>(schedule);
    if (!isWarp && !isa_and_nonnull<tile::GemmAttr, tile::AttentionAttr, tile::RowAttr>(schedule))
      return refuse("'" + value.trim() + "' is no schedule");
    if (!(isWarp ? schedules.warp : schedules.tile).try_emplace(name, schedule).second)
      return refuse("@" + name + " has a schedule already");
  }
  return schedules;
}

LogicalResult checkHandNames(ModuleOp module, StringRef path, const llvm::StringMap<Attribute> &schedules,
                             const llvm::StringSet<> &kernels, StringRef where) {
  for (StringRef name : schedules.keys())
    if (!kernels.contains(name))
      return module.emitError() << path << ": @" << name << " is no kernel " << where;
  return success();
}

} // namespace tenon
