// In: kernels of linalg. Out: what lies together and is run through together is one dimension.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-collapse-dimensions --canonicalize --cse | FileCheck %s

// Rows of batch and sequence are one; the product with a weight is one product.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear_add
// CHECK-DAG: %[[X:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<?x?x384xbf16> into tensor<?x384xbf16>
// CHECK-DAG: %[[R:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<?x?x1000xbf16> into tensor<?x1000xbf16>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]], %{{.*}} : tensor<?x384xbf16>, tensor<1000x384xbf16>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[R]] : tensor<?x1000xbf16>, tensor<?x1000xbf16>)
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0, 1], [2]] output_shape [%{{.*}}, %{{.*}}, 1000] : tensor<?x1000xbf16> into tensor<?x?x1000xbf16>
func.func @main(%x: tensor<?x?x384xbf16> {tenon.dims = ["b", "s", ""]}, %w: tensor<1000x384xbf16>, %r: tensor<?x?x1000xbf16> {tenon.dims = ["b", "s", ""]}) -> tensor<?x?x1000xbf16> {
  %0 = tenon.linear %x, %w : (tensor<?x?x384xbf16>, tensor<1000x384xbf16>) -> tensor<?x?x1000xbf16>
  %1 = tenon.add %0, %r : (tensor<?x?x1000xbf16>, tensor<?x?x1000xbf16>) -> tensor<?x?x1000xbf16>
  return %1 : tensor<?x?x1000xbf16>
}

// -----

// A row's statistics stay apart from the rows; what is reduced together is one dimension, and so is what is pointwise.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @rms_norm
// CHECK: iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<?x512xf32>)
// CHECK: tenon.kernel @gelu
// CHECK: iterator_types = ["parallel"]} ins(%{{.*}} : tensor<?xf32>)
// CHECK: tenon.kernel @reduce_sum
// CHECK: iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<2x?xf32>)
func.func @main(%x: tensor<2x?x512xf32> {tenon.dims = ["", "s", ""]}) -> (tensor<2x?x512xf32>, tensor<2x?x512xf32>, tensor<2xf32>) {
  %0 = tenon.rms_norm %x {epsilon = 1.0e-5 : f64} : (tensor<2x?x512xf32>) -> tensor<2x?x512xf32>
  %1 = tenon.gelu %x : (tensor<2x?x512xf32>) -> tensor<2x?x512xf32>
  %2 = tenon.reduce_sum %x {axes = array<i64: 1, 2>} : (tensor<2x?x512xf32>) -> tensor<2xf32>
  return %0, %1, %2 : tensor<2x?x512xf32>, tensor<2x?x512xf32>, tensor<2xf32>
}

// -----

// Rows that an operand lacks stay as they are, unless there is one of them; a dimension that is looked up by its number
// stays, too.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @add
// CHECK: iterator_types = ["parallel", "parallel"]} ins(%{{.*}}, %{{.*}} : tensor<?x3072xf32>, tensor<1x3072xf32>)
// CHECK: tenon.kernel @add_1
// CHECK: iterator_types = ["parallel"]} ins(%{{.*}}, %{{.*}} : tensor<3072xf32>, tensor<3072xf32>)
// CHECK: tenon.kernel @embedding
// CHECK: iterator_types = ["parallel", "parallel"]} ins(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<?x6xf32>)
func.func @main(%x: tensor<?x4x768xf32> {tenon.dims = ["b", "", ""]}, %p: tensor<1x4x768xf32>, %y: tensor<1x4x768xf32>, %q: tensor<4x768xf32>, %t: tensor<9x6xf32>, %i: tensor<?x4xi64> {tenon.dims = ["b", ""]}) -> (tensor<?x4x768xf32>, tensor<1x4x768xf32>, tensor<?x4x6xf32>) {
  %0 = tenon.add %x, %p : (tensor<?x4x768xf32>, tensor<1x4x768xf32>) -> tensor<?x4x768xf32>
  %1 = tenon.add %y, %q : (tensor<1x4x768xf32>, tensor<4x768xf32>) -> tensor<1x4x768xf32>
  %2 = tenon.embedding %t, %i : (tensor<9x6xf32>, tensor<?x4xi64>) -> tensor<?x4x6xf32>
  return %0, %1, %2 : tensor<?x4x768xf32>, tensor<1x4x768xf32>, tensor<?x4x6xf32>
}

// -----

// One row is a row still: it is no column, nor one of the batch.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : tensor<1x384xf32>, tensor<100x384xf32>)
// CHECK: tenon.kernel @matmul
// CHECK: iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : tensor<6x1x8xf32>, tensor<6x8x9xf32>)
func.func @main(%x: tensor<1x1x384xf32>, %w: tensor<100x384xf32>, %y: tensor<2x3x1x8xf32>, %z: tensor<2x3x8x9xf32>) -> (tensor<1x1x100xf32>, tensor<2x3x1x9xf32>) {
  %0 = tenon.linear %x, %w : (tensor<1x1x384xf32>, tensor<100x384xf32>) -> tensor<1x1x100xf32>
  %1 = tenon.matmul %y, %z : (tensor<2x3x1x8xf32>, tensor<2x3x8x9xf32>) -> tensor<2x3x1x9xf32>
  return %0, %1 : tensor<1x1x100xf32>, tensor<2x3x1x9xf32>
}

// -----

// One place of a dimension, sliced: the rows are the batch.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @slice
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0] [%{{.*}}, 1, 768] [1, 1, 1] : tensor<?x197x768xf32> to tensor<?x768xf32>
func.func @main(%x: tensor<?x197x768xf32> {tenon.dims = ["b", "", ""]}) -> tensor<?x1x768xf32> {
  %0 = tenon.slice %x {starts = array<i64: 0, 0, 0>, ends = array<i64: 9223372036854775807, 1, 9223372036854775807>, steps = array<i64: 1, 1, 1>} : (tensor<?x197x768xf32>) -> tensor<?x1x768xf32>
  return %0 : tensor<?x1x768xf32>
}

// -----

// Parts of the rows of one sequence are parts of rows, with the second dimension's places and steps.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @concat
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0] [1, 768] [1, 1] : tensor<1x768xf32> into tensor<16x768xf32>
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[1, 0] [15, 768] [1, 1] : tensor<15x768xf32> into tensor<16x768xf32>
// CHECK: tenon.kernel @slice
// CHECK: tensor.extract_slice %{{.*}}[3, 0] [4, 768] [2, 1] : tensor<15x768xf32> to tensor<4x768xf32>
func.func @main(%x: tensor<1x1x768xf32>, %y: tensor<1x15x768xf32>) -> (tensor<1x16x768xf32>, tensor<1x4x768xf32>) {
  %0 = tenon.concat %x, %y {axis = 1 : i64} : (tensor<1x1x768xf32>, tensor<1x15x768xf32>) -> tensor<1x16x768xf32>
  %1 = tenon.slice %y {starts = array<i64: 0, 3, 0>, ends = array<i64: 1, 11, 768>, steps = array<i64: 1, 2, 1>} : (tensor<1x15x768xf32>) -> tensor<1x4x768xf32>
  return %0, %1 : tensor<1x16x768xf32>, tensor<1x4x768xf32>
}

// -----

// Attention reads its operands head by head: nothing is joined.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tensor.collapse_shape
func.func @main(%q: tensor<2x4x7x8xf32>) -> tensor<2x4x7x8xf32> {
  %0 = tenon.attention %q, %q, %q : (tensor<2x4x7x8xf32>, tensor<2x4x7x8xf32>, tensor<2x4x7x8xf32>) -> tensor<2x4x7x8xf32>
  return %0 : tensor<2x4x7x8xf32>
}

// -----

// A slice of a dynamic size may be less than its source: rows stay apart.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @slice
// CHECK-NOT: tensor.collapse_shape
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, %{{.*}}] [1, 1] : tensor<?x?xf32> to tensor<?x?xf32>
module attributes {tenon.dim_bounds = {rows = array<i64: 9, 65>, columns = array<i64: 7, 33>}} {
  func.func @main(%x: tensor<?x?xf32> {tenon.dims = ["rows", "columns"]}) -> tensor<?x?xf32> {
    %0 = tenon.slice %x {starts = array<i64: 0, 0>, ends = array<i64: -1, 7>, steps = array<i64: 1, 1>} : (tensor<?x?xf32>) -> tensor<?x?xf32>
    return %0 : tensor<?x?xf32>
  }
}
