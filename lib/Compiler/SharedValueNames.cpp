#include "lib/Compiler/SharedValueNames.h"

#include "lib/Runtime/StaticValues.h"
#include "lib/Support/Sha256.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon {

static constexpr size_t digits = 32; // of the hash: two different things with one name will not be seen

/// The function's text under a name that all kernels have, and that of all it refers to. Where it comes from in the
/// model does not matter to what it does.
static std::string codeOf(Operation *function, ModuleOp kernels) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OwningOpRef<Operation *> anonymous(function->clone());
  SymbolTable::setSymbolName(anonymous.get(), "kernel");
  anonymous->removeAttr("tenon.sources");
  anonymous->print(stream, OpPrintingFlags().printGenericOpForm().useLocalScope());
  llvm::SetVector<Operation *> others;
  auto follow = [&](Operation *from) {
    from->walk([&](Operation *op) {
      op->getAttrDictionary().walk([&](SymbolRefAttr symbol) {
        Operation *other = SymbolTable::lookupSymbolIn(kernels, symbol);
        if (other && other != function)
          others.insert(other);
      });
    });
  };
  follow(function);
  for (size_t index = 0; index < others.size(); ++index) {
    follow(others[index]);
    others[index]->print(stream << "\n", OpPrintingFlags().printGenericOpForm().useLocalScope());
  }
  return text;
}

void nameSharedValues(LaunchPlan &plan, std::string_view constants, ModuleOp kernels) {
  auto nameOf = [&](int64_t id) -> std::string {
    const PlanValue &value = plan.values[viewedValue(plan, id)];
    if (value.kind != ValueKind::Constant)
      return value.name;
    Result<std::string_view> bytes = constantBytes(value, constants);
    return bytes.ok() ? sha256Hex(*bytes) : std::string();
  };
  std::map<std::string, std::string> codes;
  for (const PlanLaunch &launch : plan.init) {
    Operation *function = SymbolTable::lookupSymbolIn(kernels, plan.kernels.at(launch.kernel).symbol);
    if (!function)
      continue; // it is said where code is made
    std::string &code = codes[launch.kernel];
    if (code.empty())
      code = codeOf(function, kernels);
    std::string made = code;
    for (int64_t id : launch.operands)
      made += "\n" + nameOf(id);
    for (const Expr &size : launch.dims)
      made += "\n" + size.str();
    std::string name = sha256Hex(made).substr(0, digits);
    for (size_t result = 0; result < launch.results.size(); ++result)
      plan.values[launch.results[result]].name = name + (result ? "." + std::to_string(result) : "");
  }
}

} // namespace tenon
