// In: kernels. Out: each with its schedule, for the processor's vectors; a choice by hand stays.
// RUN: tenon-opt %s --split-input-file --tenon-phases="from=kernel to=kernel" --tenon-cpu-choose-schedules | FileCheck %s --check-prefix=AVX512
// RUN: tenon-opt %s --split-input-file --tenon-phases="from=kernel to=kernel" --tenon-cpu-choose-schedules="vector-bits=256" | FileCheck %s --check-prefix=AVX2

// AVX512: @linear_gelu({{.*}}#tenon.cpu_gemm<rows = 6, columns = 64, lanes = 16, chunk = 48>
// AVX2: @linear_gelu({{.*}}#tenon.cpu_gemm<rows = 6, columns = 16, lanes = 8, chunk = 48>
func.func @main(%x: tensor<?x8xf32> {tenon.dims = ["rows", ""]}) -> tensor<?x128xf32> {
  %w = tenon.weight "w" : tensor<128x8xf32>
  %0 = tenon.linear %x, %w : (tensor<?x8xf32>, tensor<128x8xf32>) -> tensor<?x128xf32>
  %1 = tenon.gelu %0 : (tensor<?x128xf32>) -> tensor<?x128xf32>
  return %1 : tensor<?x128xf32>
}

// -----

// Few rows or columns: a smaller block. In f64 a vector holds half as many.
// AVX512: @linear({{.*}}#tenon.cpu_gemm<rows = 1, columns = 16, lanes = 8, chunk = 1>
// AVX2: @linear({{.*}}#tenon.cpu_gemm<rows = 1, columns = 8, lanes = 4, chunk = 1>
func.func @main(%x: tensor<1x8xf64>) -> tensor<1x10xf64> {
  %w = tenon.weight "w" : tensor<10x8xf64>
  %0 = tenon.linear %x, %w : (tensor<1x8xf64>, tensor<10x8xf64>) -> tensor<1x10xf64>
  return %0 : tensor<1x10xf64>
}

// -----

// AVX512: @softmax({{.*}}#tenon.cpu_loops<lanes = 16>
// AVX512: @attention({{.*}}#tenon.cpu_attention<queries = 6, keys = 64, lanes = 16, chunk = 192>
// AVX2: @softmax({{.*}}#tenon.cpu_loops<lanes = 8>
// AVX2: @attention({{.*}}#tenon.cpu_attention<queries = 6, keys = 16, lanes = 8, chunk = 192>
func.func @main(%x: tensor<2x4x?x32xf32> {tenon.dims = ["", "", "n", ""]}) -> tensor<2x4x?x32xf32> {
  %0 = tenon.softmax %x {axis = 3 : i64} : (tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  %1 = tenon.attention %0, %0, %0 : (tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  return %1 : tensor<2x4x?x32xf32>
}

// -----

// Sums down columns: four vectors side by side, where a row has as many.
// AVX512: @reduce_mean({{.*}}#tenon.cpu_loops<lanes = 64>
// AVX512: @reduce_max({{.*}}#tenon.cpu_loops<lanes = 16>
// AVX2: @reduce_mean({{.*}}#tenon.cpu_loops<lanes = 32>
// AVX2: @reduce_max({{.*}}#tenon.cpu_loops<lanes = 8>
func.func @main(%x: tensor<8x512x768xf32>, %y: tensor<512x24xf32>) -> (tensor<8x768xf32>, tensor<24xf32>) {
  %0 = tenon.reduce_mean %x {axes = array<i64: 1>} : (tensor<8x512x768xf32>) -> tensor<8x768xf32>
  %1 = tenon.reduce_max %y {axes = array<i64: 0>} : (tensor<512x24xf32>) -> tensor<24xf32>
  return %0, %1 : tensor<8x768xf32>, tensor<24xf32>
}

// -----

// AVX512: @copy({{.*}}tenon.schedule = #tenon.cpu_loops<lanes = 4>
// AVX2: @copy({{.*}}tenon.schedule = #tenon.cpu_loops<lanes = 4>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.kernel @copy(%X = %x) attributes {tenon.schedule = #tenon.cpu_loops<lanes = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
