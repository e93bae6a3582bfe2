// A phase range runs as the compiler runs it; a name that is no phase and a range that runs backwards are refused.
// RUN: tenon-opt %s --tenon-phases="from=graph to=graph" | FileCheck %s
// RUN: not tenon-opt %s --tenon-phases="to=tile" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not tenon-opt %s --tenon-phases="from=kernel to=graph" 2>&1 | FileCheck %s --check-prefix=BACKWARDS

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: %[[Y:.*]] = tenon.relu %[[X]]
// CHECK-NEXT: return %[[Y]]
// UNKNOWN: tenon-phases: phase 'tile' is unknown; a phase is one of graph, kernel, cpu, llvm
// BACKWARDS: tenon-phases: phase 'graph' comes before 'kernel'; phases run in the order graph, kernel, cpu, llvm
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %unused = tenon.gelu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
