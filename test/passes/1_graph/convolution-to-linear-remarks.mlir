// Why a convolution is no linear of patches.
// RUN: tenon-opt %s --tenon-convolution-to-linear --remarks-filter-missed=tenon-convolution-to-linear --remark-format=emitRemark --split-input-file -verify-diagnostics -o /dev/null

func.func @unknown_size(%x: tensor<1x2x?xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x?xf32> {
  // expected-remark @+1 {{a size other than the batch is known at run time only}}
  %0 = tenon.convolution %x, %w {stride = array<i64: 4>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x?xf32>, tensor<5x2x4xf32>) -> tensor<1x5x?xf32>
  return %0 : tensor<1x5x?xf32>
}

// -----

func.func @groups(%x: tensor<1x2x8xf32>, %w: tensor<4x1x4xf32>) -> tensor<1x4x2xf32> {
  // expected-remark @+1 {{it has groups}}
  %0 = tenon.convolution %x, %w {groups = 2 : i64, stride = array<i64: 4>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x8xf32>, tensor<4x1x4xf32>) -> tensor<1x4x2xf32>
  return %0 : tensor<1x4x2xf32>
}

// -----

func.func @padding(%x: tensor<1x2x6xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x2xf32> {
  // expected-remark @+1 {{it is padded}}
  %0 = tenon.convolution %x, %w {stride = array<i64: 4>, padding = array<i64: 1>, dilation = array<i64: 1>} : (tensor<1x2x6xf32>, tensor<5x2x4xf32>) -> tensor<1x5x2xf32>
  return %0 : tensor<1x5x2xf32>
}

// -----

func.func @dilation(%x: tensor<1x2x8xf32>, %w: tensor<5x2x2xf32>) -> tensor<1x5x3xf32> {
  // expected-remark @+1 {{its window has holes}}
  %0 = tenon.convolution %x, %w {stride = array<i64: 2>, padding = array<i64: 0>, dilation = array<i64: 2>} : (tensor<1x2x8xf32>, tensor<5x2x2xf32>) -> tensor<1x5x3xf32>
  return %0 : tensor<1x5x3xf32>
}

// -----

func.func @overlap(%x: tensor<1x2x8xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x3xf32> {
  // expected-remark @+1 {{its windows overlap or leave gaps}}
  %0 = tenon.convolution %x, %w {stride = array<i64: 2>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x8xf32>, tensor<5x2x4xf32>) -> tensor<1x5x3xf32>
  return %0 : tensor<1x5x3xf32>
}

// -----

func.func @rest(%x: tensor<1x2x9xf32>, %w: tensor<5x2x4xf32>) -> tensor<1x5x2xf32> {
  // expected-remark @+1 {{its windows do not cover the input}}
  %0 = tenon.convolution %x, %w {stride = array<i64: 4>, padding = array<i64: 0>, dilation = array<i64: 1>} : (tensor<1x2x9xf32>, tensor<5x2x4xf32>) -> tensor<1x5x2xf32>
  return %0 : tensor<1x5x2xf32>
}
