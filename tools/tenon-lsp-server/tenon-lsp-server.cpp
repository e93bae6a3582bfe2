// Editor support for .mlir files with the tenon dialect: diagnostics, definitions, references, hover.
#include "lib/Pipelines/Phases.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::extrahelp examples(R"(
EXAMPLES:
  "mlir.server_path": "build/bin/tenon-lsp-server"
      in the settings of VS Code with the MLIR extension
  vim.lsp.start({name = "tenon", cmd = {"build/bin/tenon-lsp-server"}})
      in Neovim, for files of type mlir
)");

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
