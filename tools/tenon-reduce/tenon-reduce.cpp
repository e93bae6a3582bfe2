// Shrinks a module that makes a program fail, in the manner of mlir-reduce.
#include "lib/Pipelines/Phases.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::extrahelp examples(R"(
EXAMPLES:
  tenon-reduce failing.mlir --reduction-tree="traversal-mode=0 test=./fails.sh"
      the smallest module for which ./fails.sh FILE exits with 1 (0: not interesting)
  tenon-reduce failing.mlir --opt-reduction-pass="opt-pass=canonicalize test=./fails.sh"
      keeps what a pass shrinks, as long as ./fails.sh still exits with 1
)");

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  mlir::registerAllPasses();
  tenon::registerPasses();
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
