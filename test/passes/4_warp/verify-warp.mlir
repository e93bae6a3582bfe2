// What phase warp makes of products and attentions holds, whatever the depth of rings, the number of turns and roles.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=warp gpu=sm_80" | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=warp gpu=sm_90a" | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: not tenon-opt %s --split-input-file --tenon-verify-warp=arch=sm_70 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: GPU architecture 'sm_70' is unknown; it is one of sm_80, sm_86, sm_89, sm_90a

// CHECK-LABEL: tile.kernel @linear
// SM80: warp.ring.acquire
// SM90: warp.produce
// CHECK: warp.dot
func.func @main(%x: tensor<?x384xbf16> {tenon.dims = ["m", ""]}, %w: tensor<1024x384xbf16>) -> tensor<?x1024xbf16> {
  %0 = tenon.linear %x, %w : (tensor<?x384xbf16>, tensor<1024x384xbf16>) -> tensor<?x1024xbf16>
  return %0 : tensor<?x1024xbf16>
}

// -----

// The depth is not known: no turn, one or many.
// CHECK-LABEL: tile.kernel @matmul
// CHECK: warp.dot
func.func @main(%x: tensor<256x?xf16> {tenon.dims = ["", "k"]}, %y: tensor<?x256xf16> {tenon.dims = ["k", ""]}) -> tensor<256x256xf16> {
  %0 = tenon.matmul %x, %y : (tensor<256x?xf16>, tensor<?x256xf16>) -> tensor<256x256xf16>
  return %0 : tensor<256x256xf16>
}

// -----

// How far the loop over keys goes depends on the program.
// CHECK-LABEL: tile.kernel @attention
// CHECK: warp.dot
func.func @main(%q: tensor<2x4x?x64xf16> {tenon.dims = ["", "", "s", ""]}) -> tensor<2x4x?x64xf16> {
  %0 = tenon.attention %q, %q, %q {causal} : (tensor<2x4x?x64xf16>, tensor<2x4x?x64xf16>, tensor<2x4x?x64xf16>) -> tensor<2x4x?x64xf16>
  return %0 : tensor<2x4x?x64xf16>
}
