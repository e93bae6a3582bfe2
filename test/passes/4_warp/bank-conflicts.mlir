// Shared memory of products is free of bank conflicts, whatever the type, the depth of a turn and the transposes.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_80" --tenon-resolve-sizes --tenon-choose-tile-schedules \
// RUN:   | sed 's/depth = [0-9]*/depth = 32/; s/, split_k = [0-9]*//' > %t
// RUN: tenon-opt %t --split-input-file --tenon-phases="from=tile to=warp gpu=sm_80" --remarks-filter=tenon-verify-warp --remark-format=emitRemark 2>&1 \
// RUN:   | grep -o "bank-conflicts.*" | FileCheck %s
// RUN: sed -i 's/depth = 32/depth = 64/' %t
// RUN: tenon-opt %t --split-input-file --tenon-phases="from=tile to=warp gpu=sm_80" --remarks-filter=tenon-verify-warp --remark-format=emitRemark 2>&1 \
// RUN:   | grep -o "bank-conflicts.*" | FileCheck %s
// CHECK-COUNT-7: wavefronts of shared memory, 0 more than needed (copies 0, fragments 0, dots 0, exchanges 0)
// CHECK-NOT: more than needed

func.func @main(%x: tensor<512x512xf16>, %w: tensor<512x512xf16>) -> tensor<512x512xf16> {
  %0 = tenon.matmul %x, %w {transpose_b} : (tensor<512x512xf16>, tensor<512x512xf16>) -> tensor<512x512xf16>
  return %0 : tensor<512x512xf16>
}

// -----

func.func @main(%x: tensor<512x512xbf16>, %w: tensor<512x512xbf16>) -> tensor<512x512xbf16> {
  %0 = tenon.matmul %x, %w {transpose_b} : (tensor<512x512xbf16>, tensor<512x512xbf16>) -> tensor<512x512xbf16>
  return %0 : tensor<512x512xbf16>
}

// -----

func.func @main(%x: tensor<512x512xbf16>, %w: tensor<512x512xbf16>) -> tensor<512x512xbf16> {
  %0 = tenon.matmul %x, %w : (tensor<512x512xbf16>, tensor<512x512xbf16>) -> tensor<512x512xbf16>
  return %0 : tensor<512x512xbf16>
}

// -----

func.func @main(%x: tensor<512x512xbf16>, %w: tensor<512x512xbf16>) -> tensor<512x512xbf16> {
  %0 = tenon.matmul %x, %w {transpose_a} : (tensor<512x512xbf16>, tensor<512x512xbf16>) -> tensor<512x512xbf16>
  return %0 : tensor<512x512xbf16>
}

// -----

// By multiply-adds.
func.func @main(%x: tensor<512x512xf32>, %w: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %0 = tenon.matmul %x, %w {transpose_b} : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}

// -----

func.func @main(%x: tensor<512x512xf32>, %w: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %0 = tenon.matmul %x, %w : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}

// -----

func.func @main(%x: tensor<512x512xf32>, %w: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %0 = tenon.matmul %x, %w {transpose_a} : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}
