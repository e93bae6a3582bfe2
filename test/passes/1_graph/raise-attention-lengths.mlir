// A mask that says where sequences end becomes lengths; what is left of it stays a mask.
// RUN: tenon-opt %s --tenon-raise-attention --canonicalize --cse --split-input-file | FileCheck %s
// VALUES: 1e-12

// As torch writes it: positions against lengths, with ones put between the dimensions and written out for each query. The
// lengths are read as they were before they were compared with positions of 64 bits.
// CHECK-LABEL: @positions_below_lengths
// CHECK-SAME: (%[[X:.*]]: tensor<?x2x?x4xf32> {{.*}}, %[[N:.*]]: tensor<?xi32>
// CHECK-NEXT: tenon.attention %[[X]], %[[X]], %[[X]] key_lengths(%[[N]]) {scale = 5.000000e-01 : f64}
// CHECK-NEXT: return
func.func @positions_below_lengths(%x: tensor<?x2x?x4xf32> {tenon.dims = ["batch", "", "seq", ""]}, %n: tensor<?xi32> {tenon.dims = ["batch"]}) -> tensor<?x2x?x4xf32> {
  %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x2x?x4xf32>) -> tensor<i64>
  %s = tenon.dim %x {axis = 2 : i64} : (tensor<?x2x?x4xf32>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?xi64>
  %column = tenon.reshape %n : (tensor<?xi32>) -> tensor<?x1xi32>
  %wide = tenon.cast %column : (tensor<?x1xi32>) -> tensor<?x1xi64>
  %c = tenon.compare %i, %wide {predicate = #tenon.compare<lt>} : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %four = tenon.reshape %c, %b, %s : (tensor<?x?xi1>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi1>
  %m = tenon.expand %four, %b, %s, %s : (tensor<?x1x1x?xi1>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x1x?x?xi1>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x?x?xi1>) -> tensor<?x2x?x4xf32>
  return %r : tensor<?x2x?x4xf32>
}

// -----

// Of queries and keys, joined with a triangle before the heads' dimension is put in.
// CHECK-LABEL: @both_lengths_and_a_triangle
// CHECK-SAME: (%[[X:.*]]: tensor<3x2x5x4xf32>, %[[N:.*]]: tensor<3xi64>)
// CHECK-NEXT: tenon.attention %[[X]], %[[X]], %[[X]] key_lengths(%[[N]]) query_lengths(%[[N]]) {causal, scale = 5.000000e-01 : f64}
// CHECK-NEXT: return
func.func @both_lengths_and_a_triangle(%x: tensor<3x2x5x4xf32>, %n: tensor<3xi64>) -> tensor<3x2x5x4xf32> {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1xi64>
  %valid = tenon.compare %column, %i {predicate = #tenon.compare<gt>} : (tensor<3x1xi64>, tensor<5xi64>) -> tensor<3x5xi1>
  %queries = tenon.reshape %valid : (tensor<3x5xi1>) -> tensor<3x5x1xi1>
  %keys = tenon.reshape %valid : (tensor<3x5xi1>) -> tensor<3x1x5xi1>
  %both = tenon.logical_and %queries, %keys : (tensor<3x5x1xi1>, tensor<3x1x5xi1>) -> tensor<3x5x5xi1>
  %q = tenon.reshape %i : (tensor<5xi64>) -> tensor<5x1xi64>
  %c = tenon.compare %i, %q {predicate = #tenon.compare<le>} : (tensor<5xi64>, tensor<5x1xi64>) -> tensor<5x5xi1>
  %all = tenon.logical_and %both, %c : (tensor<3x5x5xi1>, tensor<5x5xi1>) -> tensor<3x5x5xi1>
  %m = tenon.reshape %all : (tensor<3x5x5xi1>) -> tensor<3x1x5x5xi1>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x5x5xi1>) -> tensor<3x2x5x4xf32>
  return %r : tensor<3x2x5x4xf32>
}

// -----

// -Inf added where a key is past the end, or another condition holds: of views of a select. What is no length stays, in its
// own place.
// CHECK-LABEL: @added_past_the_end
// CHECK-SAME: (%[[X:.*]]: tensor<3x2x5x4xf32>, %[[N:.*]]: tensor<3xi64>, %[[P:.*]]: tensor<3x5xi1>)
// CHECK-DAG: %[[KEPT:.*]] = tenon.logical_not %[[P]]
// CHECK-DAG: %[[M:.*]] = tenon.reshape %[[KEPT]] : (tensor<3x5xi1>) -> tensor<3x1x1x5xi1>
// CHECK: tenon.attention %[[X]], %[[X]], %[[X]] mask(%[[M]]) key_lengths(%[[N]]) {scale = 5.000000e-01 : f64}
func.func @added_past_the_end(%x: tensor<3x2x5x4xf32>, %n: tensor<3xi64>, %p: tensor<3x5xi1>) -> tensor<3x2x5x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1xi64>
  %past = tenon.compare %i, %column {predicate = #tenon.compare<ge>} : (tensor<5xi64>, tensor<3x1xi64>) -> tensor<3x5xi1>
  %hidden = tenon.logical_or %past, %p : (tensor<3x5xi1>, tensor<3x5xi1>) -> tensor<3x5xi1>
  %added = tenon.select %hidden, %inf, %zero : (tensor<3x5xi1>, tensor<f32>, tensor<f32>) -> tensor<3x5xf32>
  %m = tenon.reshape %added : (tensor<3x5xf32>) -> tensor<3x1x1x5xf32>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xf32>) -> tensor<3x2x5x4xf32>
  return %r : tensor<3x2x5x4xf32>
}

// -----

// A step at one position of a cache, the same for the batch: the position's own key is seen, and a sum that would wrap is
// bounded where no key can be.
// CHECK-LABEL: @up_to_a_position
// CHECK-SAME: (%[[Q:.*]]: tensor<3x2x1x4xf32>, %[[K:.*]]: tensor<3x2x9x4xf32>, %[[P:.*]]: tensor<1xi32>)
// CHECK-DAG: %[[ONE:.*]] = tenon.constant dense<1> : tensor<i64>
// CHECK-DAG: %[[MOST:.*]] = tenon.constant dense<2147483647> : tensor<i64>
// CHECK-DAG: %[[LEAST:.*]] = tenon.constant dense<-2147483648> : tensor<i64>
// CHECK: %[[WIDE:.*]] = tenon.cast %[[P]]
// CHECK: %[[MIN:.*]] = tenon.min %[[WIDE]], %[[MOST]]
// CHECK: %[[MAX:.*]] = tenon.max %[[MIN]], %[[LEAST]]
// CHECK: %[[END:.*]] = tenon.add %[[MAX]], %[[ONE]]
// CHECK: %[[N:.*]] = tenon.expand %[[END]] : (tensor<1xi64>) -> tensor<3xi64>
// CHECK: tenon.attention %[[Q]], %[[K]], %[[K]] key_lengths(%[[N]]) {scale
func.func @up_to_a_position(%q: tensor<3x2x1x4xf32>, %k: tensor<3x2x9x4xf32>, %p: tensor<1xi32>) -> tensor<3x2x1x4xf32> {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<9xi32>
  %at = tenon.reshape %p : (tensor<1xi32>) -> tensor<1x1xi32>
  %c = tenon.compare %i, %at {predicate = #tenon.compare<le>} : (tensor<9xi32>, tensor<1x1xi32>) -> tensor<1x9xi1>
  %r = tenon.attention %q, %k, %k mask(%c) {scale = 0.5 : f64} : (tensor<3x2x1x4xf32>, tensor<3x2x9x4xf32>, tensor<3x2x9x4xf32>, tensor<1x9xi1>) -> tensor<3x2x1x4xf32>
  return %r : tensor<3x2x1x4xf32>
}

// -----

// A prompt put into a cache at a position: no query sees a key past the last one's own place, and which of them each sees
// the mask says.
// CHECK-LABEL: @queries_from_a_position
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x5x4xf32>, %[[K:.*]]: tensor<1x2x9x4xf32>, %[[P:.*]]: tensor<i64>)
// CHECK-DAG: %[[FIVE:.*]] = tenon.constant dense<5> : tensor<i64>
// CHECK: %[[M:.*]] = tenon.compare
// CHECK: %[[N:.*]] = tenon.add %{{.*}}, %[[FIVE]]
// CHECK: tenon.attention %[[Q]], %[[K]], %[[K]] mask(%[[M]]) key_lengths(%[[N]]) {scale
func.func @queries_from_a_position(%q: tensor<1x2x5x4xf32>, %k: tensor<1x2x9x4xf32>, %p: tensor<i64>) -> tensor<1x2x5x4xf32> {
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<9xi64>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %places = tenon.add %i, %p : (tensor<5xi64>, tensor<i64>) -> tensor<5xi64>
  %column = tenon.reshape %places : (tensor<5xi64>) -> tensor<5x1xi64>
  %c = tenon.compare %j, %column {predicate = #tenon.compare<le>} : (tensor<9xi64>, tensor<5x1xi64>) -> tensor<5x9xi1>
  %m = tenon.reshape %c : (tensor<5x9xi1>) -> tensor<1x1x5x9xi1>
  %r = tenon.attention %q, %k, %k mask(%m) {scale = 0.5 : f64} : (tensor<1x2x5x4xf32>, tensor<1x2x9x4xf32>, tensor<1x2x9x4xf32>, tensor<1x1x5x9xi1>) -> tensor<1x2x5x4xf32>
  return %r : tensor<1x2x5x4xf32>
}

// -----

// The same of as many queries as a call has, each sequence at a position of its own, beside lengths that were there.
// CHECK-LABEL: @queries_from_positions
// CHECK-SAME: (%[[Q:.*]]: tensor<?x2x?x4xf32> {{.*}}, %[[P:.*]]: tensor<?xi64> {{.*}}, %[[O:.*]]: tensor<?xi32>
// CHECK-DAG: %[[S:.*]] = tenon.dim %[[Q]] {axis = 2 : i64}
// CHECK: %[[END:.*]] = tenon.add %{{.*}}, %[[S]]
// CHECK: %[[WIDE:.*]] = tenon.cast %[[O]]
// CHECK: %[[N:.*]] = tenon.min %[[WIDE]], %[[END]]
// CHECK: tenon.attention {{.*}} mask(%{{.*}}) key_lengths(%[[N]]) {scale
func.func @queries_from_positions(%q: tensor<?x2x?x4xf32> {tenon.dims = ["batch", "", "new", ""]}, %k: tensor<?x2x9x4xf32> {tenon.dims = ["batch", "", "", ""]}, %p: tensor<?xi64> {tenon.dims = ["batch"]}, %o: tensor<?xi32> {tenon.dims = ["batch"]}) -> tensor<?x2x?x4xf32> {
  %s = tenon.dim %q {axis = 2 : i64} : (tensor<?x2x?x4xf32>) -> tensor<i64>
  %i = tenon.iota %s {axis = 0 : i64} : (tensor<i64>) -> tensor<?x1xi64>
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<9xi64>
  %first = tenon.reshape %p : (tensor<?xi64>) -> tensor<?x1x1x1xi64>
  %places = tenon.add %first, %i : (tensor<?x1x1x1xi64>, tensor<?x1xi64>) -> tensor<?x1x?x1xi64>
  %c = tenon.compare %places, %j {predicate = #tenon.compare<ge>} : (tensor<?x1x?x1xi64>, tensor<9xi64>) -> tensor<?x1x?x9xi1>
  %r = tenon.attention %q, %k, %k mask(%c) key_lengths(%o) {scale = 0.5 : f64} : (tensor<?x2x?x4xf32>, tensor<?x2x9x4xf32>, tensor<?x2x9x4xf32>, tensor<?x1x?x9xi1>, tensor<?xi32>) -> tensor<?x2x?x4xf32>
  return %r : tensor<?x2x?x4xf32>
}

// -----

// Places counted from 3.
// CHECK-LABEL: @places_from_three
// CHECK-SAME: (%[[X:.*]]: tensor<3x2x5x4xf32>, %[[N:.*]]: tensor<3xi64>)
// CHECK-DAG: %[[THREE:.*]] = tenon.constant dense<-3> : tensor<i64>
// CHECK: %[[MIN:.*]] = tenon.min %[[N]]
// CHECK: %[[MAX:.*]] = tenon.max %[[MIN]]
// CHECK: tenon.add %[[MAX]], %[[THREE]]
// CHECK: tenon.attention %[[X]], %[[X]], %[[X]] key_lengths(%{{.*}}) {scale = 5.000000e-01 : f64}
func.func @places_from_three(%x: tensor<3x2x5x4xf32>, %n: tensor<3xi64>) -> tensor<3x2x5x4xf32> {
  %i = tenon.iota {axis = 3 : i64, start = 3.0 : f64} : () -> tensor<1x1x1x5xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1x1x1xi64>
  %m = tenon.compare %i, %column {predicate = #tenon.compare<lt>} : (tensor<1x1x1x5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  return %r : tensor<3x2x5x4xf32>
}

// -----

// Attention taken apart, with hidden scores selected; the first key is before every end.
// CHECK-LABEL: @scores_selected
// CHECK-SAME: (%[[X:.*]]: tensor<3x2x5x4xf32>, %[[N:.*]]: tensor<3xi64>)
// CHECK: tenon.attention %[[X]], %[[X]], %[[X]] key_lengths(%{{.*}}) {scale = 1.000000e+00 : f64}
// CHECK-NEXT: return
func.func @scores_selected(%x: tensor<3x2x5x4xf32>, %n: tensor<3xi64>) -> tensor<3x2x5x4xf32> {
  %inf = tenon.constant dense<0xFF800000> : tensor<f32>
  %i = tenon.iota {axis = 3 : i64} : () -> tensor<1x1x1x5xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1x1x1xi64>
  %past = tenon.compare %i, %column {predicate = #tenon.compare<gt>} : (tensor<1x1x1x5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %0 = tenon.matmul %x, %x {transpose_b} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>) -> tensor<3x2x5x5xf32>
  %1 = tenon.select %past, %inf, %0 : (tensor<3x1x1x5xi1>, tensor<f32>, tensor<3x2x5x5xf32>) -> tensor<3x2x5x5xf32>
  %2 = tenon.softmax %1 {axis = 3 : i64} : (tensor<3x2x5x5xf32>) -> tensor<3x2x5x5xf32>
  %3 = tenon.matmul %2, %x : (tensor<3x2x5x5xf32>, tensor<3x2x5x4xf32>) -> tensor<3x2x5x4xf32>
  return %3 : tensor<3x2x5x4xf32>
}

// -----

// Lengths that there are already: keys end at the shorter ones.
// CHECK-LABEL: @shorter_of_two
// CHECK-SAME: (%{{.*}}: tensor<3x2x5x4xf32>, %[[N:.*]]: tensor<3xi64>, %[[O:.*]]: tensor<3xi64>)
// CHECK: %[[BOTH:.*]] = tenon.min %[[O]], %[[N]]
// CHECK: tenon.attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} key_lengths(%[[BOTH]]) {scale
func.func @shorter_of_two(%x: tensor<3x2x5x4xf32>, %n: tensor<3xi64>, %o: tensor<3xi64>) -> tensor<3x2x5x4xf32> {
  %i = tenon.iota {axis = 3 : i64} : () -> tensor<1x1x1x5xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1x1x1xi64>
  %m = tenon.compare %i, %column {predicate = #tenon.compare<lt>} : (tensor<1x1x1x5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %r = tenon.attention %x, %x, %x mask(%m) key_lengths(%o) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>, tensor<3xi64>) -> tensor<3x2x5x4xf32>
  return %r : tensor<3x2x5x4xf32>
}

// -----

// Keys from a length on; a length for each head; one for each query; every second place; places that are data; ends that are
// compared with a difference, which wraps where a length does not; a padding mask; ends that go down with the queries, and of
// queries that grow with them; a sum for each query, which wraps, too.
// CHECK-LABEL: @negative_lengths
// CHECK-NOT: lengths(
// CHECK-COUNT-10: tenon.attention {{.*}} mask(%{{[0-9a-z]+}}) {scale
// CHECK-NOT: lengths(
func.func @negative_lengths(%x: tensor<3x2x5x4xf32>, %n: tensor<3x1x1x1xi64>, %h: tensor<3x2x1x1xi64>, %q: tensor<5x1xi64>, %p: tensor<5xi64>, %pad: tensor<3x1x1x5xi64>)
    -> (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>) {
  %zero = tenon.constant dense<0> : tensor<i64>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %two = tenon.iota {axis = 0 : i64, step = 2.0 : f64} : () -> tensor<5xi64>
  %a = tenon.compare %i, %n {predicate = #tenon.compare<ge>} : (tensor<5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %b = tenon.compare %i, %h {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x2x1x1xi64>) -> tensor<3x2x1x5xi1>
  %c = tenon.compare %i, %q {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<5x1xi64>) -> tensor<5x5xi1>
  %d = tenon.compare %two, %n {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %e = tenon.compare %p, %n {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %left = tenon.sub %i, %n : (tensor<5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi64>
  %f = tenon.compare %left, %zero {predicate = #tenon.compare<lt>} : (tensor<3x1x1x5xi64>, tensor<i64>) -> tensor<3x1x1x5xi1>
  %g = tenon.compare %pad, %zero {predicate = #tenon.compare<ne>} : (tensor<3x1x1x5xi64>, tensor<i64>) -> tensor<3x1x1x5xi1>
  %0 = tenon.attention %x, %x, %x mask(%a) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  %1 = tenon.attention %x, %x, %x mask(%b) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x1x5xi1>) -> tensor<3x2x5x4xf32>
  %2 = tenon.attention %x, %x, %x mask(%c) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<5x5xi1>) -> tensor<3x2x5x4xf32>
  %3 = tenon.attention %x, %x, %x mask(%d) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  %4 = tenon.attention %x, %x, %x mask(%e) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  %5 = tenon.attention %x, %x, %x mask(%f) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  %6 = tenon.attention %x, %x, %x mask(%g) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xi1>) -> tensor<3x2x5x4xf32>
  %down = tenon.iota {axis = 0 : i64, start = 5.0 : f64, step = -1.0 : f64} : () -> tensor<5x1xi64>
  %ends = tenon.add %n, %down : (tensor<3x1x1x1xi64>, tensor<5x1xi64>) -> tensor<3x1x5x1xi64>
  %k = tenon.compare %i, %ends {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x1x5x1xi64>) -> tensor<3x1x5x5xi1>
  %up = tenon.iota {axis = 0 : i64} : () -> tensor<5x1xi64>
  %sums = tenon.add %n, %up : (tensor<3x1x1x1xi64>, tensor<5x1xi64>) -> tensor<3x1x5x1xi64>
  %l = tenon.compare %up, %sums {predicate = #tenon.compare<lt>} : (tensor<5x1xi64>, tensor<3x1x5x1xi64>) -> tensor<3x1x5x1xi1>
  %ones = tenon.constant dense<1> : tensor<5x1xi64>
  %next = tenon.add %n, %ones : (tensor<3x1x1x1xi64>, tensor<5x1xi64>) -> tensor<3x1x5x1xi64>
  %o = tenon.compare %i, %next {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x1x5x1xi64>) -> tensor<3x1x5x5xi1>
  %7 = tenon.attention %x, %x, %x mask(%k) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x5x5xi1>) -> tensor<3x2x5x4xf32>
  %8 = tenon.attention %x, %x, %x mask(%l) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x5x1xi1>) -> tensor<3x2x5x4xf32>
  %9 = tenon.attention %x, %x, %x mask(%o) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x5x5xi1>) -> tensor<3x2x5x4xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9 : tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>
}

// -----

// A finite number for what is past the end: a sequence without keys would weigh all alike.
// CHECK-LABEL: @negative_finite_end
// CHECK: tenon.attention {{.*}} mask(%{{.*}}) {scale
func.func @negative_finite_end(%x: tensor<3x2x5x4xf32>, %n: tensor<3x1x1x1xi64>) -> tensor<3x2x5x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<0xFF7FFFFF> : tensor<f32>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<5xi64>
  %c = tenon.compare %i, %n {predicate = #tenon.compare<lt>} : (tensor<5xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x5xi1>
  %m = tenon.select %c, %zero, %low : (tensor<3x1x1x5xi1>, tensor<f32>, tensor<f32>) -> tensor<3x1x1x5xf32>
  %r = tenon.attention %x, %x, %x mask(%m) {scale = 0.5 : f64} : (tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x2x5x4xf32>, tensor<3x1x1x5xf32>) -> tensor<3x2x5x4xf32>
  return %r : tensor<3x2x5x4xf32>
}

// -----

// Keys in pages are P times a page: the triangle is of all of them.
// CHECK-LABEL: @triangle_of_pages
// CHECK: tenon.attention {{.*}} key_lengths(%{{.*}}) block_table(%{{.*}}) {causal, scale = 5.000000e-01 : f64}
func.func @triangle_of_pages(%q: tensor<3x2x2x4xf32>, %k: tensor<7x2x4x4xf32>, %n: tensor<3xi64>, %t: tensor<3x2xi64>) -> tensor<3x2x2x4xf32> {
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<8xi64>
  %q0 = tenon.iota {axis = 0 : i64, start = 6.0 : f64} : () -> tensor<2x1xi64>
  %column = tenon.reshape %n : (tensor<3xi64>) -> tensor<3x1x1x1xi64>
  %end = tenon.compare %i, %column {predicate = #tenon.compare<lt>} : (tensor<8xi64>, tensor<3x1x1x1xi64>) -> tensor<3x1x1x8xi1>
  %c = tenon.compare %i, %q0 {predicate = #tenon.compare<le>} : (tensor<8xi64>, tensor<2x1xi64>) -> tensor<2x8xi1>
  %m = tenon.logical_and %end, %c : (tensor<3x1x1x8xi1>, tensor<2x8xi1>) -> tensor<3x1x2x8xi1>
  %r = tenon.attention %q, %k, %k mask(%m) block_table(%t) {scale = 0.5 : f64} : (tensor<3x2x2x4xf32>, tensor<7x2x4x4xf32>, tensor<7x2x4x4xf32>, tensor<3x1x2x8xi1>, tensor<3x2xi64>) -> tensor<3x2x2x4xf32>
  return %r : tensor<3x2x2x4xf32>
}
