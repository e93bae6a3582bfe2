// A phase range runs as the compiler runs it; a name that is no phase and a range that runs backwards are refused.
// RUN: tenon-opt %s --tenon-phases="from=graph to=graph" | FileCheck %s
// RUN: not tenon-opt %s --tenon-phases="to=tiles" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not tenon-opt %s --tenon-phases="to=tile" 2>&1 | FileCheck %s --check-prefix=GPUONLY
// RUN: not tenon-opt %s --tenon-phases="to=cpu gpu=sm_80" 2>&1 | FileCheck %s --check-prefix=CPUONLY
// RUN: not tenon-opt %s --tenon-phases="to=tile gpu=sm_12" 2>&1 | FileCheck %s --check-prefix=NOGPU
// RUN: tenon-opt %s --tenon-phases="to=tile gpu=sm_80" | FileCheck %s --check-prefix=TILE
// RUN: not tenon-opt %s --tenon-phases="from=kernel to=graph" 2>&1 | FileCheck %s --check-prefix=BACKWARDS

// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: %[[Y:.*]] = tenon.relu %[[X]]
// CHECK-NEXT: return %[[Y]]
// UNKNOWN: tenon-phases: phase 'tiles' is unknown; on a CPU a phase is one of graph, kernel, cpu, llvm
// GPUONLY: tenon-phases: phase 'tile' is none of a CPU, which has graph, kernel, cpu, llvm; a GPU has it: name one as target, sm_90a say
// CPUONLY: tenon-phases: phase 'cpu' is none of a GPU (sm_80), which has graph, kernel, tile, warp, thread, ptx; a CPU has it
// NOGPU: tenon-phases: GPU architecture 'sm_12' is unknown; it is one of sm_80, sm_86, sm_89, sm_90a
// TILE: tenon.launch @kernels::@relu
// TILE: tile.kernel @relu
// BACKWARDS: tenon-phases: phase 'graph' comes before 'kernel'; phases run in the order graph, kernel, cpu, llvm
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %unused = tenon.gelu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
