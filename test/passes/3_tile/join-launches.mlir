// In: launches in a row. Out: small ones that do not need one another are one.
// RUN: tenon-opt %s --split-input-file --tenon-join-launches | FileCheck %s

// The second needs a weight, which moves; the third needs the first.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = tenon.weight "w"
// CHECK: %[[R:.*]]:2 = tenon.launch @kernels::@negate_and_add(%arg0, %arg0, %[[W]])
// CHECK: %[[N:.*]] = tenon.launch @kernels::@negate(%[[R]]#0)
// CHECK: return %[[N]], %[[R]]#1
// CHECK: tile.kernel @negate_and_add(
// CHECK: tile.kernel @negate(
// CHECK-NOT: tile.kernel
func.func @main(%x: tensor<4x64xf32>) -> (tensor<4x64xf32>, tensor<4x64xf32>) {
  %y = tenon.launch @kernels::@negate(%x) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  %w = tenon.weight "w" : tensor<4x64xf32>
  %s = tenon.launch @kernels::@add(%x, %w) : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %n = tenon.launch @kernels::@negate(%y) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  return %n, %s : tensor<4x64xf32>, tensor<4x64xf32>
}
module @kernels {
  tile.kernel @negate(%X: !tile.view<4x64xf32>, %Y: !tile.view<4x64xf32>) attributes {tenon.bytes = affine_map<() -> (2048)>, tenon.flops = affine_map<() -> (256)>} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    tile.grid (%i) = (%c4) {
      %x = tile.load %X[%i, %c0] : !tile.view<4x64xf32> -> tensor<64xf32>
      %y = arith.negf %x : tensor<64xf32>
      tile.store %y, %Y[%i, %c0] : tensor<64xf32>, !tile.view<4x64xf32>
    }
  }
  tile.kernel @add(%X: !tile.view<4x64xf32>, %Z: !tile.view<4x64xf32>, %Y: !tile.view<4x64xf32>) attributes {tenon.bytes = affine_map<() -> (3072)>, tenon.flops = affine_map<() -> (256)>} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    tile.grid (%i) = (%c4) {
      %x = tile.load %X[%i, %c0] : !tile.view<4x64xf32> -> tensor<64xf32>
      %z = tile.load %Z[%i, %c0] : !tile.view<4x64xf32> -> tensor<64xf32>
      %y = arith.addf %x, %z : tensor<64xf32>
      tile.store %y, %Y[%i, %c0] : tensor<64xf32>, !tile.view<4x64xf32>
    }
  }
}

// -----

// The numbers of updated operands are those of the joined kernel. What one updates the other may not read.
// CHECK-LABEL: func.func @updates
// CHECK: tenon.launch @kernels::@append_and_append(%arg0, %arg2, %arg1, %arg2)
// CHECK: tenon.launch @kernels::@append(%arg1, %arg2)
// CHECK: tile.kernel @append_and_append({{.*}} attributes {{{.*}}tenon.updates = array<i64: 0, 2>}
func.func @updates(%a: tensor<4x64xf32>, %b: tensor<4x64xf32>, %x: tensor<64xf32>) -> (tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>) {
  %y = tenon.launch @kernels::@append(%a, %x) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  %z = tenon.launch @kernels::@append(%b, %x) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  %u = tenon.launch @kernels::@append(%b, %x) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  return %y, %z, %u : tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>
}
module @kernels {
  tile.kernel @append(%C: !tile.view<4x64xf32>, %X: !tile.view<64xf32>, %Y: !tile.view<4x64xf32>) attributes {tenon.bytes = affine_map<() -> (512)>, tenon.flops = affine_map<() -> (0)>, tenon.updates = array<i64: 0>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    tile.grid (%i) = (%c1) {
      %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32>
      tile.store %x, %Y[%c0, %c0] : tensor<64xf32>, !tile.view<4x64xf32>
    }
  }
}

// -----

// Two that are too much for one warp are apart, and so is what is computed of weights alone. One warp's work goes with the
// last of the others.
// CHECK-LABEL: func.func @apart
// CHECK: tenon.launch @kernels::@wide(%arg0)
// CHECK: tenon.launch @kernels::@wide_and_small(%arg1, %arg2)
// CHECK: tenon.launch @kernels::@small(%{{.*}})
// CHECK-NOT: tenon.launch
func.func @apart(%a: tensor<4x1024xf32>, %b: tensor<4x1024xf32>, %x: tensor<64xf32>) -> (tensor<4x1024xf32>, tensor<4x1024xf32>, tensor<64xf32>, tensor<64xf32>) {
  %y = tenon.launch @kernels::@wide(%a) : (tensor<4x1024xf32>) -> tensor<4x1024xf32>
  %z = tenon.launch @kernels::@wide(%b) : (tensor<4x1024xf32>) -> tensor<4x1024xf32>
  %s = tenon.launch @kernels::@small(%x) : (tensor<64xf32>) -> tensor<64xf32>
  %w = tenon.weight "w" : tensor<64xf32>
  %t = tenon.launch @kernels::@small(%w) : (tensor<64xf32>) -> tensor<64xf32>
  return %y, %z, %s, %t : tensor<4x1024xf32>, tensor<4x1024xf32>, tensor<64xf32>, tensor<64xf32>
}
module @kernels {
  tile.kernel @wide(%X: !tile.view<4x1024xf32>, %Y: !tile.view<4x1024xf32>) attributes {tenon.bytes = affine_map<() -> (32768)>, tenon.flops = affine_map<() -> (0)>} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    tile.grid (%i) = (%c4) {
      %x = tile.load %X[%i, %c0] : !tile.view<4x1024xf32> -> tensor<1024xf32>
      tile.store %x, %Y[%i, %c0] : tensor<1024xf32>, !tile.view<4x1024xf32>
    }
  }
  tile.kernel @small(%X: !tile.view<64xf32>, %Y: !tile.view<64xf32>) attributes {tenon.bytes = affine_map<() -> (512)>, tenon.flops = affine_map<() -> (0)>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    tile.grid (%i) = (%c1) {
      %x = tile.load %X[%c0] : !tile.view<64xf32> -> tensor<64xf32>
      tile.store %x, %Y[%c0] : tensor<64xf32>, !tile.view<64xf32>
    }
  }
}
