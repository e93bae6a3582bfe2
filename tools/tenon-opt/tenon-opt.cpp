// Runs any pass or phase range on textual IR, in the manner of mlir-opt.
#include "lib/Pipelines/Phases.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::extrahelp examples(R"(
EXAMPLES:
  tenon-opt model.mlir --tenon-phases="to=kernel"
      the phases up to kernel, as the compiler runs them
  tenon-opt model.mlir --tenon-form-kernels --mlir-print-ir-after-all
      one pass, and the IR after it
  tenon-opt model.mlir --canonicalize --mlir-timing
      where the time goes
)");

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  mlir::registerAllPasses();
  tenon::registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Tenon optimiser driver\n", registry));
}
