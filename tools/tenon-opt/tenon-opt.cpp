// Runs any pass or phase range on textual IR, in the manner of mlir-opt.
#include "lib/Pipelines/Phases.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  mlir::registerAllPasses();
  tenon::registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Tenon optimiser driver\n", registry));
}
