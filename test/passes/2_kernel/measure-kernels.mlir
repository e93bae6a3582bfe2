// A kernel's flops and bytes over the dynamic sizes of its operands and results; what is looked up by index counts as
// often as it is; a loop of unknown size leaves both out and says so.
// RUN: tenon-opt %s --tenon-lower-to-linalg --canonicalize --tenon-measure-kernels --split-input-file --remarks-filter-missed="tenon-measure-kernels" --remark-format=emitRemark 2> %t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t
// What is printed can be read again.
// RUN: tenon-opt %s --tenon-lower-to-linalg --canonicalize --tenon-measure-kernels --split-input-file | tenon-opt --split-input-file -o /dev/null

// 2 K flops an element and one for the bias; 4 bytes for x, w, b and y.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<()[s0, s1] -> (s0 * 32 + s1 * 64 + 576)>
// CHECK-DAG: #[[FLOPS:.*]] = affine_map<()[s0, s1] -> (s0 * 272)>
// CHECK-LABEL: @linear_bias
// CHECK: tenon.kernel @linear({{.*}}) attributes {tenon.bytes = #[[BYTES]], tenon.flops = #[[FLOPS]]}
func.func @linear_bias(%x: tensor<?x8xf32>, %w: tensor<16x8xf32>, %b: tensor<16xf32>) -> tensor<?x16xf32> {
  %y = tenon.kernel @linear(%X = %x, %W = %w, %B = %b) : (tensor<?x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32> {
    %0 = tenon.linear %X, %W, %B : (tensor<?x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<?x16xf32>
    tenon.yield %0 : tensor<?x16xf32>
  }
  return %y : tensor<?x16xf32>
}

// -----

// 5 indices of 8 bytes, 5 rows of 4 elements read and written; not the table of a million rows.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<() -> (200)>
// CHECK-DAG: #[[FLOPS:.*]] = affine_map<() -> (0)>
// CHECK-LABEL: @embedding
// CHECK: tenon.kernel @embedding({{.*}}) attributes {tenon.bytes = #[[BYTES]], tenon.flops = #[[FLOPS]]}
func.func @embedding(%t: tensor<1000000x4xf32>, %i: tensor<5xi64>) -> tensor<5x4xf32> {
  %y = tenon.kernel @embedding(%T = %t, %I = %i) : (tensor<1000000x4xf32>, tensor<5xi64>) -> tensor<5x4xf32> {
    %0 = tenon.embedding %T, %I : (tensor<1000000x4xf32>, tensor<5xi64>) -> tensor<5x4xf32>
    tenon.yield %0 : tensor<5x4xf32>
  }
  return %y : tensor<5x4xf32>
}

// -----

// A cache that two rows are appended to: these are read and written, with the 8 bytes of the position; the rest is not.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<() -> (136)>
// CHECK-LABEL: @append
// CHECK: tenon.kernel @append({{.*}}) attributes {tenon.bytes = #[[BYTES]],
func.func @append(%c: tensor<1x2x1024x4xf32>, %u: tensor<1x2x2x4xf32>, %p: tensor<i64>) -> tensor<1x2x1024x4xf32> {
  %y = tenon.kernel @append(%C = %c, %U = %u, %P = %p)
      : (tensor<1x2x1024x4xf32>, tensor<1x2x2x4xf32>, tensor<i64>) -> tensor<1x2x1024x4xf32> {
    %0 = tenon.kv_cache_append %C, %U, %P : (tensor<1x2x1024x4xf32>, tensor<1x2x2x4xf32>, tensor<i64>) -> tensor<1x2x1024x4xf32>
    tenon.yield %0 : tensor<1x2x1024x4xf32>
  }
  return %y : tensor<1x2x1024x4xf32>
}

// -----

// 2 heads x 3 queries x d1 keys of (2 x 8 + 2 x 8 + 5) flops; 2 bytes each of q, k, v and r.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<()[s0, s1] -> (s0 * 32 + s1 * 32 + 192)>
// CHECK-DAG: #[[FLOPS:.*]] = affine_map<()[s0, s1] -> (s0 * 222)>
// CHECK-LABEL: @attention
// CHECK: tenon.kernel @attention({{.*}}) attributes {tenon.bytes = #[[BYTES]], tenon.flops = #[[FLOPS]]}
func.func @attention(%q: tensor<1x2x3x8xf16>, %k: tensor<1x2x?x8xf16>, %v: tensor<1x2x?x8xf16>) -> tensor<1x2x3x8xf16> {
  %y = tenon.kernel @attention(%Q = %q, %K = %k, %V = %v) : (tensor<1x2x3x8xf16>, tensor<1x2x?x8xf16>, tensor<1x2x?x8xf16>) -> tensor<1x2x3x8xf16> {
    %0 = tenon.attention %Q, %K, %V : (tensor<1x2x3x8xf16>, tensor<1x2x?x8xf16>, tensor<1x2x?x8xf16>) -> tensor<1x2x3x8xf16>
    tenon.yield %0 : tensor<1x2x3x8xf16>
  }
  return %y : tensor<1x2x3x8xf16>
}

// -----

// REMARK: remark: [Missed] cost | Category:tenon-measure-kernels | {{.*}}@sum has a loop whose size does not follow from its operands': no cost is known
// CHECK-LABEL: @negative_loop_of_unknown_size
// CHECK: tenon.kernel @sum(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) : (
func.func @negative_loop_of_unknown_size(%x: tensor<8xf32>, %n: tensor<i64>) -> tensor<f32> {
  %y = tenon.kernel @sum(%X = %x, %N = %n) : (tensor<8xf32>, tensor<i64>) -> tensor<f32> {
    %count = tensor.extract %N[] : tensor<i64>
    %size = arith.index_cast %count : i64 to index
    %part = tensor.extract_slice %X[0] [%size] [1] : tensor<8xf32> to tensor<?xf32>
    %empty = tensor.empty() : tensor<f32>
    %sum = linalg.reduce ins(%part : tensor<?xf32>) outs(%empty : tensor<f32>) dimensions = [0] (%a: f32, %b: f32) {
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    }
    tenon.yield %sum : tensor<f32>
  }
  return %y : tensor<f32>
}

// -----

// Several dynamic sizes: a product of sizes, which only symbols may be in text.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<()[s0, s1, s2, s3] -> ((s0 * s1) * 4 + (s2 * s3) * 4)>
// CHECK-LABEL: @several_sizes
// CHECK: tenon.kernel @negate({{.*}}) attributes {tenon.bytes = #[[BYTES]]
func.func @several_sizes(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %y = tenon.kernel @negate(%X = %x) : (tensor<?x?xf32>) -> tensor<?x?xf32> {
    %0 = tenon.neg %X : (tensor<?x?xf32>) -> tensor<?x?xf32>
    tenon.yield %0 : tensor<?x?xf32>
  }
  return %y : tensor<?x?xf32>
}
