// In: schedules by which programs would add up their sums themselves, and cannot. Out: a second kernel adds them, and why.
// RUN: split-file %s %t
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/large.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,LARGE
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/odd.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,ODD
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/short.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,SHORT
// RUN: tenon-compile %t/product.mlir --target=sm_80 --to=tile --schedule=%t/fits.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,WARP
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/fits.txt --remarks 2>&1 | FileCheck %s --check-prefix=FITS
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/last.txt --remarks 2>&1 | FileCheck %s --check-prefix=LAST
// RUN: tenon-compile %t/any-rows.mlir --target=sm_90a --to=tile --schedule=%t/last.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,ROWS
// RUN: tenon-compile %t/many-rows.mlir --target=sm_90a --to=tile --schedule=%t/last.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,ROWS
// RUN: tenon-compile %t/product.mlir --target=sm_90a --to=tile --schedule=%t/wide.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: tenon-compile %t/floats.mlir --target=sm_90a --to=tile --schedule=%t/floats.txt --tf32 --remarks 2>&1 | FileCheck %s --check-prefix=FITS
// RUN: tenon-compile %t/floats.mlir --target=sm_90a --to=tile --schedule=%t/floats.txt --remarks 2>&1 | FileCheck %s --check-prefixes=CHECK,WARP
// RUN: tenon-compile %t/gated.mlir --target=sm_90a --to=tile --schedule=%t/gated.txt --remarks 2>&1 | FileCheck %s --check-prefix=GATED

// LARGE: missed: a second kernel adds up the sums of @linear: shared memory does not hold three slots of its operands beside the sums of others
// ODD: missed: a second kernel adds up the sums of @linear: its tile has no equal parts in whole fragments
// SHORT: missed: a second kernel adds up the sums of @linear: a part of its depth has one turn, or it is known only at run time
// WARP: missed: a second kernel adds up the sums of @linear: no dot of warpgroups makes its sums
// WIDE: missed: a second kernel adds up the sums of @linear: a thread has no registers for its sum beside the parts of others
// ROWS: missed: a second kernel adds up the sums of @linear: its tiles are more than 256, or known only at run time
// CHECK-DAG: tile.kernel @linear_parts({{.*}}
// CHECK-DAG: tile.kernel @linear_sum({{.*}}
// CHECK-NOT: tile.reduce_scatter

// FITS-NOT: adds up the sums
// FITS: tile.kernel @linear(
// FITS: tile.reduce_scatter

// A tile that has no parts in whole fragments, and beside which three slots would not be left for parts of others.
// LAST-NOT: adds up the sums
// LAST: tile.kernel @linear(
// LAST: tile.grid (%[[PART:.*]], %{{.*}}, %{{.*}}) = (%c2, %c2, %c4)
// LAST: tile.reduce_to_last {{.*}} {axis = 0 : i64} : tensor<128x144xf32>

// GATED: missed: a second kernel adds up the sums of @linear_gated_swiglu: a program of it has more sums than one
// GATED: missed: @linear_gated_swiglu keeps its depth in one program: its result has another shape than the product
// GATED-NOT: tile.reduce_scatter

//--- product.mlir
func.func @main(%x: tensor<256x512xbf16>, %w: tensor<512x512xbf16>) -> tensor<256x512xbf16> {
  %0 = tenon.linear %x, %w : (tensor<256x512xbf16>, tensor<512x512xbf16>) -> tensor<256x512xbf16>
  return %0 : tensor<256x512xbf16>
}
//--- floats.mlir
func.func @main(%x: tensor<256x512xf32>, %w: tensor<512x512xf32>) -> tensor<256x512xf32> {
  %0 = tenon.linear %x, %w : (tensor<256x512xf32>, tensor<512x512xf32>) -> tensor<256x512xf32>
  return %0 : tensor<256x512xf32>
}
//--- floats.txt
@linear = #tile.gemm<rows = 64, columns = 64, depth = 32, split_k = 4, joined = true>
//--- any-rows.mlir
func.func @main(%x: tensor<?x512xbf16> {tenon.dims = ["m", ""]}, %w: tensor<512x512xbf16>) -> tensor<?x512xbf16> {
  %0 = tenon.linear %x, %w : (tensor<?x512xbf16>, tensor<512x512xbf16>) -> tensor<?x512xbf16>
  return %0 : tensor<?x512xbf16>
}
//--- many-rows.mlir
func.func @main(%x: tensor<8320x512xbf16>, %w: tensor<512x512xbf16>) -> tensor<8320x512xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8320x512xbf16>, tensor<512x512xbf16>) -> tensor<8320x512xbf16>
  return %0 : tensor<8320x512xbf16>
}
//--- last.txt
@linear = #tile.gemm<rows = 128, columns = 144, depth = 64, split_k = 2, by_last = true>
//--- wide.txt
@linear = #tile.gemm<rows = 128, columns = 256, depth = 64, split_k = 2, by_last = true>
//--- gated.mlir
func.func @main(%x: tensor<128x512xbf16>) -> tensor<128x512xbf16> {
  %g = tenon.weight "g" : tensor<512x512xbf16>
  %u = tenon.weight "u" : tensor<512x512xbf16>
  %0 = tenon.linear %x, %g : (tensor<128x512xbf16>, tensor<512x512xbf16>) -> tensor<128x512xbf16>
  %1 = tenon.linear %x, %u : (tensor<128x512xbf16>, tensor<512x512xbf16>) -> tensor<128x512xbf16>
  %2 = tenon.swiglu %0, %1 : (tensor<128x512xbf16>, tensor<128x512xbf16>) -> tensor<128x512xbf16>
  return %2 : tensor<128x512xbf16>
}
//--- gated.txt
@linear_gated_swiglu = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, joined = true>
//--- large.txt
@linear = #tile.gemm<rows = 128, columns = 256, depth = 128, split_k = 2, joined = true>
//--- odd.txt
@linear = #tile.gemm<rows = 64, columns = 48, depth = 64, split_k = 2, joined = true>
//--- short.txt
@linear = #tile.gemm<rows = 64, columns = 64, depth = 128, split_k = 4, joined = true>
//--- fits.txt
@linear = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 4, joined = true>
