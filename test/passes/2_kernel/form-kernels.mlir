// Ops of @main are grouped around anchors; what cannot join stays a kernel of its own.
// RUN: tenon-opt %s --tenon-form-kernels --split-input-file | FileCheck %s

// Bias, activation and residual end the contraction; the norm after it needs whole rows.
// CHECK-LABEL: @main
// CHECK: %[[SUM:.*]] = tenon.kernel @linear_add(
// CHECK: tenon.linear
// CHECK: tenon.add
// CHECK: %[[NORM:.*]] = tenon.kernel @layer_norm(%{{.*}} = %[[SUM]]
// CHECK: tenon.kernel @linear_gelu(%{{.*}} = %[[NORM]]
// CHECK: tenon.linear
// CHECK: tenon.gelu
func.func @main(%x: tensor<4x8xf32>, %r: tensor<4x8xf32>) -> tensor<4x16xf32> {
  %w = tenon.weight "w" : tensor<8x8xf32>
  %u = tenon.weight "u" : tensor<16x8xf32>
  %0 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.add %0, %r : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = tenon.layer_norm %1 {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = tenon.linear %2, %u : (tensor<4x8xf32>, tensor<16x8xf32>) -> tensor<4x16xf32>
  %4 = tenon.gelu %3 : (tensor<4x16xf32>) -> tensor<4x16xf32>
  return %4 : tensor<4x16xf32>
}

// -----

// Attention reads the merged projection through views and writes joined heads: one kernel, no copies.
// CHECK-LABEL: @main
// CHECK: tenon.kernel @attention(%[[X:.*]] = %{{.*}}) :
// CHECK: tenon.split %[[X]]
// CHECK: tenon.attention
// CHECK: tenon.transpose
// CHECK: %[[R:.*]] = tenon.reshape
// CHECK: tenon.yield %[[R]]
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<2x5x96xf32>) -> tensor<2x5x32xf32> {
  %q, %k, %v = tenon.split %x {axis = 2, sizes = array<i64: 32, 32, 32>} : (tensor<2x5x96xf32>) -> (tensor<2x5x32xf32>, tensor<2x5x32xf32>, tensor<2x5x32xf32>)
  %q4 = tenon.reshape %q : (tensor<2x5x32xf32>) -> tensor<2x5x4x8xf32>
  %k4 = tenon.reshape %k : (tensor<2x5x32xf32>) -> tensor<2x5x4x8xf32>
  %v4 = tenon.reshape %v : (tensor<2x5x32xf32>) -> tensor<2x5x4x8xf32>
  %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x5x8xf32>
  %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x5x8xf32>
  %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x4x8xf32>) -> tensor<2x4x5x8xf32>
  %a = tenon.attention %qt, %kt, %vt {scale = 0.25 : f64} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %at = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x5x8xf32>) -> tensor<2x5x4x8xf32>
  %r = tenon.reshape %at : (tensor<2x5x4x8xf32>) -> tensor<2x5x32xf32>
  return %r : tensor<2x5x32xf32>
}

// -----

// Equal bodies share a name; another shape is another kernel.
// CHECK-LABEL: @main
// CHECK: tenon.kernel @relu(
// CHECK: tenon.kernel @relu(
// CHECK: tenon.kernel @relu_1(
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<5xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<5xf32>) {
  %0 = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.relu %y : (tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.relu %z : (tensor<5xf32>) -> tensor<5xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<5xf32>
}

// -----

// Work on weights alone runs once, at load: it joins nothing that depends on the input.
// CHECK-LABEL: @main
// CHECK: %[[W:.*]] = tenon.kernel @mul(
// CHECK: tenon.kernel @add(%{{.*}} = %{{.*}}, %{{.*}} = %[[W]])
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %v = tenon.weight "v" : tensor<4xf32>
  %w = tenon.weight "w" : tensor<4xf32>
  %0 = tenon.mul %v, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon.add %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// The linear cannot take the last add: the softmax, a kernel between them, reads it too.
// CHECK-LABEL: @main
// CHECK: %[[L:.*]] = tenon.kernel @linear(
// CHECK: %[[S:.*]] = tenon.kernel @softmax_add(%{{.*}} = %[[L]]
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = tenon.weight "w" : tensor<8x8xf32>
  %0 = tenon.linear %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.softmax %0 {axis = 1} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = tenon.add %0, %1 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----

// Sizes and constants are repeated inside; a reshape is a view and stays outside.
// CHECK-LABEL: @main
// CHECK: %[[V:.*]] = tenon.reshape
// CHECK: tenon.kernel @cast_sub(%{{.*}} = %[[V]])
// CHECK: tenon.constant dense<1.000000e+00>
func.func @main(%m: tensor<2x3xi64>) -> tensor<2x1x3xf32> {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %0 = tenon.reshape %m : (tensor<2x3xi64>) -> tensor<2x1x3xi64>
  %1 = tenon.cast %0 : (tensor<2x1x3xi64>) -> tensor<2x1x3xf32>
  %2 = tenon.sub %one, %1 : (tensor<f32>, tensor<2x1x3xf32>) -> tensor<2x1x3xf32>
  return %2 : tensor<2x1x3xf32>
}

// -----

// Arithmetic on sizes is the host's: inside a kernel it would be data, and no shape can depend on data.
// CHECK-LABEL: @main
// CHECK: %[[TWICE:.*]] = tenon.mul
// CHECK: tenon.kernel @expand({{.*}} = %[[TWICE]]
// CHECK: tenon.expand
func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["rows", ""]}, %y: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %two = tenon.constant dense<2> : tensor<i64>
  %rows = tenon.dim %x {axis = 0 : i64} : (tensor<?x4xf32>) -> tensor<i64>
  %twice = tenon.mul %rows, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %0 = tenon.expand %y, %twice : (tensor<1x4xf32>, tensor<i64>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Rotary embedding reads a part of a row in place.
// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: tensor<2x5x24xf32>, %[[C:.*]]: tensor<5x1x4xf32>, %[[S:.*]]: tensor<5x1x4xf32>)
// CHECK-NEXT: %[[R:.*]] = tenon.kernel @rope(%[[IN:.*]] = %[[X]], %[[COS:.*]] = %[[C]], %[[SIN:.*]] = %[[S]])
// CHECK-NEXT: %[[P:.*]]:3 = tenon.split %[[IN]]
// CHECK-NEXT: %[[Q:.*]] = tenon.reshape %[[P]]#1
// CHECK-NEXT: %[[T:.*]] = tenon.rope %[[Q]], %[[COS]], %[[SIN]]
// CHECK-NEXT: tenon.yield %[[T]]
// CHECK: return %[[R]]
func.func @main(%x: tensor<2x5x24xf32>, %c: tensor<5x1x4xf32>, %s: tensor<5x1x4xf32>) -> tensor<2x5x2x4xf32> {
  %q, %k, %v = tenon.split %x {axis = 2, sizes = array<i64: 8, 8, 8>} : (tensor<2x5x24xf32>) -> (tensor<2x5x8xf32>, tensor<2x5x8xf32>, tensor<2x5x8xf32>)
  %0 = tenon.reshape %k : (tensor<2x5x8xf32>) -> tensor<2x5x2x4xf32>
  %1 = tenon.rope %0, %c, %s : (tensor<2x5x2x4xf32>, tensor<5x1x4xf32>, tensor<5x1x4xf32>) -> tensor<2x5x2x4xf32>
  return %1 : tensor<2x5x2x4xf32>
}

// -----

// Rotated keys are rotated where they go in the cache; values are read from the larger row they are a part of.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<2x1x16xf32>, %[[COS:.*]]: tensor<1x4xf32>, %[[SIN:.*]]: tensor<1x4xf32>, %[[K:[^ ]*]]: tensor<2x1x32x8xf32>,
// CHECK: tenon.kernel @rope_kv_cache_append(%{{.*}} = %[[X]], %{{.*}} = %[[COS]], %{{.*}} = %[[SIN]], %{{.*}} = %[[K]], %{{.*}} = %{{.*}})
// CHECK: tenon.kernel @kv_cache_append(
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<2x1x16xf32>, %c: tensor<1x4xf32>, %s: tensor<1x4xf32>, %k: tensor<2x1x32x8xf32>, %v: tensor<2x1x32x8xf32>,
                %p: tensor<i64>) -> (tensor<2x1x32x8xf32>, tensor<2x1x32x8xf32>) {
  %0, %1 = tenon.split %x {axis = 2 : i64, sizes = array<i64: 8, 8>} : (tensor<2x1x16xf32>) -> (tensor<2x1x8xf32>, tensor<2x1x8xf32>)
  %2 = tenon.reshape %0 : (tensor<2x1x8xf32>) -> tensor<2x1x1x8xf32>
  %3 = tenon.rope %2, %c, %s : (tensor<2x1x1x8xf32>, tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<2x1x1x8xf32>
  %4 = tenon.kv_cache_append %k, %3, %p : (tensor<2x1x32x8xf32>, tensor<2x1x1x8xf32>, tensor<i64>) -> tensor<2x1x32x8xf32>
  %5 = tenon.reshape %1 : (tensor<2x1x8xf32>) -> tensor<2x1x1x8xf32>
  %6 = tenon.kv_cache_append %v, %5, %p : (tensor<2x1x32x8xf32>, tensor<2x1x1x8xf32>, tensor<i64>) -> tensor<2x1x32x8xf32>
  return %4, %6 : tensor<2x1x32x8xf32>, tensor<2x1x32x8xf32>
}

// -----

// The transpose ends the first attention's kernel, as @tanh reads it too; the second attention then reads it as it was written, not as a
// view of what that kernel keeps for itself.
// CHECK-LABEL: func.func @main
// CHECK: %[[HEADS:.*]] = tenon.kernel @attention(
// CHECK: tenon.transpose
// CHECK: %[[NEAR:.*]] = tenon.kernel @tanh(%{{.*}} = %[[HEADS]])
// CHECK: tenon.kernel @attention_1(%{{.*}} = %[[NEAR]], %{{.*}} = %[[HEADS]])
// CHECK-NOT: tenon.transpose
func.func @main(%x: tensor<2x3x1x18xf16>) -> tensor<2x1x18x3xf16> {
  %a = tenon.attention %x, %x, %x : (tensor<2x3x1x18xf16>, tensor<2x3x1x18xf16>, tensor<2x3x1x18xf16>) -> tensor<2x3x1x18xf16>
  %heads = tenon.transpose %a {permutation = array<i64: 0, 2, 3, 1>} : (tensor<2x3x1x18xf16>) -> tensor<2x1x18x3xf16>
  %near = tenon.tanh %heads : (tensor<2x1x18x3xf16>) -> tensor<2x1x18x3xf16>
  %b = tenon.attention %near, %near, %heads : (tensor<2x1x18x3xf16>, tensor<2x1x18x3xf16>, tensor<2x1x18x3xf16>) -> tensor<2x1x18x3xf16>
  return %b : tensor<2x1x18x3xf16>
}

// -----

// The halves of one product's rows are read where they lie.
// CHECK-LABEL: func.func @main
// CHECK: %[[BOTH:.*]] = tenon.kernel @linear(
// CHECK: tenon.kernel @swiglu(%{{.*}} = %[[BOTH]]) : (tensor<3x8xf32>) -> tensor<3x4xf32>
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<3x4xf32>, %w: tensor<8x4xf32>) -> tensor<3x4xf32> {
  %0 = tenon.linear %x, %w : (tensor<3x4xf32>, tensor<8x4xf32>) -> tensor<3x8xf32>
  %1, %2 = tenon.split %0 {axis = 1 : i64, sizes = array<i64: 4, 4>} : (tensor<3x8xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>)
  %3 = tenon.swiglu %1, %2 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %3 : tensor<3x4xf32>
}

// -----

// Ones in front keep pointwise ops in one kernel.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @iota_compare(
// CHECK-NOT: tenon.kernel
func.func @main(%p: tensor<1x1xi64>) -> tensor<1x16xi1> {
  %0 = tenon.iota {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : () -> tensor<16xi64>
  %1 = tenon.compare %0, %p {predicate = #tenon.compare<le>} : (tensor<16xi64>, tensor<1x1xi64>) -> tensor<1x16xi1>
  return %1 : tensor<1x16xi1>
}

// -----

// Sums of sizes are the host's; an end of one is no size that a launch plan holds, and neither is a sum of it.
// CHECK-LABEL: func.func @main
// CHECK: %[[SIZE:.*]] = tenon.dim
// CHECK: %[[MORE:.*]] = tenon.add %[[SIZE]]
// CHECK: %[[END:.*]] = tenon.kernel @min_add(
// CHECK: tenon.min
// CHECK: tenon.add
// CHECK: return %[[MORE]], %[[END]]
func.func @main(%x: tensor<?x8xf32>) -> (tensor<i64>, tensor<i64>) {
  %most = tenon.constant dense<64> : tensor<i64>
  %size = tenon.dim %x {axis = 0 : i64} : (tensor<?x8xf32>) -> tensor<i64>
  %more = tenon.add %size, %most : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %end = tenon.min %size, %most : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %last = tenon.add %end, %most : (tensor<i64>, tensor<i64>) -> tensor<i64>
  return %more, %last : tensor<i64>, tensor<i64>
}

// -----

// Cheap arithmetic on what a call is given has no kernel: cosine and sine each compute their angles. What an attention
// reads is in memory, but the sum it is a copy of is not.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[P:.*]]: tensor<1xi64>
// CHECK-NEXT: %[[F:.*]] = tenon.constant
// CHECK-NEXT: tenon.kernel @cast_mul_cos(%[[P0:.*]] = %[[P]], %[[F0:.*]] = %[[F]])
// CHECK-NEXT: %[[C:.*]] = tenon.cast %[[P0]]
// CHECK-NEXT: %[[M:.*]] = tenon.mul %[[C]], %[[F0]]
// CHECK-NEXT: tenon.cos %[[M]]
// CHECK: tenon.kernel @cast_mul_sin(
// CHECK: tenon.kernel @add_expand(%{{.*}} = %[[P]])
// CHECK: tenon.kernel @attention(
// CHECK-NOT: tenon.kernel
func.func @main(%p: tensor<1xi64>, %x: tensor<2x1x1x8xf32>, %k: tensor<2x1x16x8xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<2x1x1x8xf32>) {
  %f = tenon.constant dense<[1.0, 0.1, 0.01, 0.001]> : tensor<4xf32>
  %one = tenon.constant dense<1> : tensor<i64>
  %0 = tenon.cast %p : (tensor<1xi64>) -> tensor<1xf32>
  %1 = tenon.mul %0, %f : (tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tenon.cos %1 : (tensor<4xf32>) -> tensor<4xf32>
  %3 = tenon.sin %1 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = tenon.add %p, %one : (tensor<1xi64>, tensor<i64>) -> tensor<1xi64>
  %5 = tenon.expand %4 : (tensor<1xi64>) -> tensor<2xi64>
  %6 = tenon.attention %x, %k, %k key_lengths(%5) {scale = 1.0 : f64} : (tensor<2x1x1x8xf32>, tensor<2x1x16x8xf32>, tensor<2x1x16x8xf32>, tensor<2xi64>) -> tensor<2x1x1x8xf32>
  return %2, %3, %6 : tensor<4xf32>, tensor<4xf32>, tensor<2x1x1x8xf32>
}

// -----

// Not repeated: an exponential (@exp), a sum that others than pointwise ops read (@add_softmax), one that a product's kernel takes in
// (@linear_add), what is known at load (@cast), and what would be computed too often (@neg).
// CHECK-LABEL: func.func @main
// CHECK: %[[EXP:.*]] = tenon.kernel @exp(
// CHECK: tenon.kernel @mul(%{{.*}} = %{{.*}}, %{{.*}} = %[[EXP]])
// CHECK: %[[SUM:.*]]:2 = tenon.kernel @add_softmax(
// CHECK: %[[LINEAR:.*]] = tenon.kernel @linear_add(
// CHECK: tenon.kernel @mul_1(%{{.*}} = %{{.*}}, %{{.*}} = %[[LINEAR]])
// CHECK: %[[CAST:.*]] = tenon.kernel @cast(
// CHECK: tenon.kernel @mul(%{{.*}} = %{{.*}}, %{{.*}} = %[[CAST]])
// CHECK: %[[NEG:.*]] = tenon.kernel @neg(
// CHECK: tenon.kernel @sub(%{{.*}} = %{{.*}}, %{{.*}} = %[[NEG]])
// CHECK: tenon.kernel @tanh(%{{.*}} = %[[SUM]]#0)
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<4x8xf32>, %row: tensor<1x8xf32>, %y: tensor<8xf32>, %z: tensor<64x512xf32>, %q: tensor<512xf32>) -> (tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<64x512xf32>) {
  %w = tenon.weight "w" : tensor<8x8xf32>
  %i = tenon.weight "i" : tensor<8xi64>
  %0 = tenon.exp %y : (tensor<8xf32>) -> tensor<8xf32>
  %1 = tenon.mul %x, %0 : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %2 = tenon.add %y, %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = tenon.tanh %2 : (tensor<8xf32>) -> tensor<8xf32>
  %4 = tenon.softmax %2 {axis = 0} : (tensor<8xf32>) -> tensor<8xf32>
  %5 = tenon.linear %row, %w : (tensor<1x8xf32>, tensor<8x8xf32>) -> tensor<1x8xf32>
  %6 = tenon.add %5, %y : (tensor<1x8xf32>, tensor<8xf32>) -> tensor<1x8xf32>
  %7 = tenon.mul %x, %6 : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %8 = tenon.cast %i : (tensor<8xi64>) -> tensor<8xf32>
  %9 = tenon.mul %x, %8 : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %10 = tenon.neg %q : (tensor<512xf32>) -> tensor<512xf32>
  %11 = tenon.sub %z, %10 : (tensor<64x512xf32>, tensor<512xf32>) -> tensor<64x512xf32>
  return %1, %3, %4, %7, %9, %11 : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<64x512xf32>
}

// -----

// A residual stream: the kernel of the norm gives the sum too, which others read before the norm and behind it.
// CHECK-LABEL: func.func @main
// CHECK: %[[BOTH:.*]]:2 = tenon.kernel @add_rms_norm(
// CHECK: %[[S:.*]] = tenon.add
// CHECK: %[[Y:.*]] = tenon.rms_norm %[[S]]
// CHECK: tenon.yield %[[S]], %[[Y]]
// CHECK: tenon.kernel @linear(%{{.*}} = %[[BOTH]]#1
// CHECK: tenon.kernel @relu(%{{.*}} = %[[BOTH]]#0)
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<4x8xf32>, %r: tensor<4x8xf32>, %w: tensor<8xf32>, %u: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %s = tenon.add %x, %r : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = tenon.relu %s : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = tenon.rms_norm %s, %w {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %1 = tenon.linear %y, %u : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  return %s, %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Not so where the sum is a product's, where another op than a norm or softmax reads it, where the shapes differ, and where
// the norm's weight is computed from the sum by another kernel.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear_add(
// CHECK: tenon.kernel @rms_norm(
// CHECK: tenon.kernel @add(
// CHECK: tenon.kernel @argmax(
// CHECK: tenon.kernel @add_1(
// CHECK: tenon.kernel @reduce_sum(
// CHECK: tenon.kernel @rms_norm(
func.func @main(%x: tensor<4x8xf32>, %r: tensor<4x8xf32>, %w: tensor<8xf32>, %u: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xi64>, tensor<4x8xf32>) {
  %0 = tenon.linear %x, %u : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.add %0, %r : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = tenon.rms_norm %1, %w {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %3 = tenon.add %x, %r : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = tenon.argmax %3 {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4xi64>
  %5 = tenon.add %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %6 = tenon.reduce_sum %5 {axes = array<i64: 0>} : (tensor<4x8xf32>) -> tensor<8xf32>
  %7 = tenon.rms_norm %5, %6 {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %1, %2, %3, %4, %7 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xi64>, tensor<4x8xf32>
}

// -----

// What is computed of a norm's sum and added to the norm again is another kernel's: two launches cannot each need the other.
// CHECK-LABEL: func.func @main
// CHECK: %[[BOTH:.*]]:2 = tenon.kernel @add_rms_norm(
// CHECK: tenon.kernel @linear_add(%{{.*}} = %[[BOTH]]#0{{.*}} = %[[BOTH]]#1)
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<4x8xf32>, %r: tensor<4x8xf32>, %w: tensor<8xf32>, %u: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %s = tenon.add %x, %r : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = tenon.rms_norm %s, %w {epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %0 = tenon.linear %s, %u : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = tenon.add %0, %y : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// The same with a transpose: the addition, which would end the norm's kernel, is one by itself.
// CHECK-LABEL: func.func @main
// CHECK: %[[BOTH:.*]]:2 = tenon.kernel @add_rms_norm(
// CHECK: %[[T:.*]] = tenon.kernel @transpose(%{{.*}} = %[[BOTH]]#0)
// CHECK: tenon.kernel @add(%{{.*}} = %[[BOTH]]#1, %{{.*}} = %[[T]])
// CHECK-NOT: tenon.kernel
func.func @main(%x: tensor<8x8xf32>, %r: tensor<8x8xf32>, %w: tensor<8xf32>) -> tensor<8x8xf32> {
  %s = tenon.add %x, %r : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = tenon.rms_norm %s, %w {epsilon = 1.0e-5 : f64} : (tensor<8x8xf32>, tensor<8xf32>) -> tensor<8x8xf32>
  %t = tenon.transpose %s {permutation = array<i64: 1, 0>} : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = tenon.add %y, %t : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}
