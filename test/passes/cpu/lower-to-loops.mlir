// In: kernel functions on tensors. Out: scalar loops over buffers, temporaries in the scratch memory, one task.
// RUN: tenon-opt %s --split-input-file --tenon-cpu-lower-to-loops --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-cpu-lower-to-loops --remarks-filter-missed=tenon-cpu-lower-to-loops --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// All nests share their outer loop and keep to its row: a row is a task, whose temporaries are one row. Each has a place
// of its own, 64-byte aligned; what is written in place is not copied.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1] -> (s0)>
// CHECK-DAG: #[[SCRATCH:.*]] = affine_map<()[s0, s1] -> (128)>
// CHECK-LABEL: func.func @exp_sum
// CHECK-SAME: (%[[X:.*]]: memref<?x8xf32>, %[[Y:.*]]: memref<?x8xf32>, %[[FIRST:.*]]: index, %[[LAST:.*]]: index, %[[S:.*]]: memref<?xi8>)
// CHECK-SAME: tenon.grid = #[[ROWS]], tenon.kernel, tenon.scratch_bytes = #[[SCRATCH]]
// CHECK: memref.view %[[S]][%c0][] : memref<?xi8> to memref<1xf32>
// CHECK: memref.view %[[S]][%c64][] : memref<?xi8> to memref<1x8xf32>
// CHECK: scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step %c1
// CHECK-COUNT-2: scf.for
// CHECK: scf.for %[[J:.*]] = %c0 to %c8
// CHECK: arith.divf
// CHECK: memref.store %{{.*}}, %[[Y]][%[[I]], %[[J]]]
// CHECK-NOT: memref.store
// CHECK-NOT: memref.alloc
// REMARK: [Missed] general-path | Category:tenon-cpu-lower-to-loops | Remark="kernel @exp_sum runs as scalar loops, a task for each turn of its outer ones: no emitter took it"
func.func @exp_sum(%X: memref<?x8xf32>, %Y: memref<?x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?x8xf32> to tensor<?x8xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %rows = tensor.empty(%n) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %like = tensor.empty(%n) : tensor<?x8xf32>
  %powers = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%like : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %p = math.exp %a : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%powers : tensor<?x8xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%powers, %sum : tensor<?x8xf32>, tensor<?xf32>) outs(%like : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %q = arith.divf %a, %b : f32
    linalg.yield %q : f32
  } -> tensor<?x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// A chain of elementwise ops is one loop without temporaries; a single loop is one task.
// CHECK-DAG: #[[NONE:.*]] = affine_map<()[s0, s1] -> (0)>
// CHECK-LABEL: func.func @chain
// CHECK-SAME: tenon.scratch_bytes = #[[NONE]]
// CHECK: scf.if
// CHECK-COUNT-1: scf.for
// CHECK: arith.negf
// CHECK-NEXT: math.absf
// CHECK-NOT: scf.for
// REMARK: "kernel @chain runs as one task of scalar loops: no emitter took it"
func.func @chain(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?xf32> to tensor<?xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%empty : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%0 : tensor<?xf32>) outs(%empty : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %m = math.absf %a : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  bufferization.materialize_in_destination %1 in restrict writable %Y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

// An elementwise producer stays outside a contraction that would repeat it for each column.
// CHECK-LABEL: func.func @negative_exp_before_matmul
// CHECK: math.exp
// CHECK: memref.store
// CHECK: arith.mulf
func.func @negative_exp_before_matmul(%X: memref<4x8xf32>, %W: memref<16x8xf32>, %Y: memref<4x16xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<4x8xf32> to tensor<4x8xf32>
  %w = bufferization.to_tensor %W restrict : memref<16x8xf32> to tensor<16x8xf32>
  %zero = arith.constant 0.0 : f32
  %like = tensor.empty() : tensor<4x8xf32>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%like : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %p = math.exp %a : f32
    linalg.yield %p : f32
  } -> tensor<4x8xf32>
  %empty = tensor.empty() : tensor<4x16xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x16xf32>) -> tensor<4x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%e, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x16xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<4x16xf32>, memref<4x16xf32>) -> ()
  return
}

// -----

// A temporary of i1 holds bytes; one inside a loop has one place for all turns.
// CHECK-DAG: #[[BYTES:.*]] = affine_map<()[s0, s1] -> ((s0 ceildiv 64) * 64)>
// CHECK-LABEL: func.func @booleans_in_a_loop
// CHECK-SAME: tenon.scratch_bytes = #[[BYTES]]
// CHECK: %[[B:.*]] = memref.view %{{.*}} : memref<?xi8> to memref<?xi8>
// CHECK: %[[BIT:.*]] = arith.cmpf
// CHECK: %[[BYTE:.*]] = arith.extui %[[BIT]] : i1 to i8
// CHECK: memref.store %[[BYTE]], %[[B]]
// CHECK: %[[LOADED:.*]] = memref.load %[[B]]
// CHECK: arith.trunci %[[LOADED]] : i8 to i1
func.func @booleans_in_a_loop(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?xf32> to tensor<?xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %start = linalg.copy ins(%x : tensor<?xf32>) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%state = %start) -> (tensor<?xf32>) {
    %flags = tensor.empty(%n) : tensor<?xi1>
    %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%x : tensor<?xf32>) outs(%flags : tensor<?xi1>) {
    ^bb0(%a: f32, %b: i1):
      %m = arith.cmpf olt, %a, %zero : f32
      linalg.yield %m : i1
    } -> tensor<?xi1>
    %1 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%state : tensor<?xf32>) {
    ^bb0(%b: f32):
      %i1 = linalg.index 0 : index
      %flag = tensor.extract %0[%i1] : tensor<?xi1>
      %m = arith.addf %b, %b : f32
      %s = arith.select %flag, %m, %b : f32
      linalg.yield %s : f32
    } -> tensor<?xf32>
    scf.yield %1 : tensor<?xf32>
  }
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

// What an emitter wrote has no tensors: it stays as it is.
// CHECK-LABEL: func.func @negative_emitted
// CHECK-NOT: scf.if
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step
// CHECK-NOT: scf.if
func.func @negative_emitted(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
    attributes {tenon.kernel, tenon.grid = affine_map<()[s0, s1] -> (s0)>, tenon.scratch_bytes = affine_map<()[s0, s1] -> (0)>} {
  %c1 = arith.constant 1 : index
  scf.for %i = %first to %last step %c1 {
    %a = memref.load %X[%i] : memref<?xf32>
    memref.store %a, %Y[%i] : memref<?xf32>
  }
  return
}

// -----

// A size with a minimum is bounded by either side, one with a maximum by their sum.
// CHECK-DAG: #[[BOUND:.*]] = affine_map<()[s0, s1] -> (((s0 + 7) ceildiv 16) * 64 + 64)>
// CHECK-LABEL: func.func @bounded_sizes
// CHECK-SAME: tenon.scratch_bytes = #[[BOUND]]
func.func @bounded_sizes(%X: memref<?xf32>, %Y: memref<?xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?xf32> to tensor<?xf32>
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %low = arith.minsi %n, %c5 : index
  %less = affine.apply affine_map<(d) -> (d - 3)>(%n)
  %c7 = arith.constant 7 : index
  %high = arith.maxsi %less, %c7 : index
  %a = tensor.empty(%low) : tensor<?xf32>
  %b = tensor.empty(%high) : tensor<?xf32>
  %fa = linalg.fill ins(%zero : f32) outs(%a : tensor<?xf32>) -> tensor<?xf32>
  %fb = linalg.fill ins(%zero : f32) outs(%b : tensor<?xf32>) -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%x : tensor<?xf32>) {
  ^bb0(%e: f32):
    %i = linalg.index 0 : index
    %p = tensor.extract %fa[%i] : tensor<?xf32>
    %q = tensor.extract %fb[%i] : tensor<?xf32>
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

// A turn that makes a tensor for the next one leaves it where the loop carries it.
// CHECK-LABEL: func.func @running_sum
// CHECK-SAME: (%[[X:.*]]: memref<4x8xf32>, %[[Y:.*]]: memref<4x8xf32>,
// CHECK: %[[SUM:.*]] = memref.view
// CHECK: scf.for %[[I:.*]] = %c0 to %c4
// CHECK: scf.for %[[J:.*]] = %c0 to %c8
// CHECK-DAG: %[[OLD:.*]] = memref.load %[[SUM]][%[[J]]]
// CHECK-DAG: %[[NEW:.*]] = memref.load %{{.*}}[%[[J]]]
// CHECK: %[[S:.*]] = arith.addf %[[OLD]], %[[NEW]]
// CHECK: memref.store %[[S]], %[[ROW:.*]][%[[J]]]
// CHECK: scf.for %[[K:.*]] = %c0 to %c8
// CHECK: %[[COPIED:.*]] = memref.load %[[ROW]][%[[K]]]
// CHECK: memref.store %[[COPIED]], %[[SUM]][%[[K]]]
func.func @running_sum(%X: memref<4x8xf32>, %Y: memref<4x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<4x8xf32> to tensor<4x8xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x8xf32>
  %row = tensor.empty() : tensor<8xf32>
  %start = linalg.fill ins(%zero : f32) outs(%row : tensor<8xf32>) -> tensor<8xf32>
  %y:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%result = %empty, %sum = %start) -> (tensor<4x8xf32>, tensor<8xf32>) {
    %slice = tensor.extract_slice %x[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<8xf32>
    %next = linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>, affine_map<(j) -> (j)>], iterator_types = ["parallel"]}
        ins(%sum, %slice : tensor<8xf32>, tensor<8xf32>) outs(%row : tensor<8xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<8xf32>
    %written = tensor.insert_slice %next into %result[%i, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<4x8xf32>
    scf.yield %written, %next : tensor<4x8xf32>, tensor<8xf32>
  }
  bufferization.materialize_in_destination %y#0 in restrict writable %Y : (tensor<4x8xf32>, memref<4x8xf32>) -> ()
  return
}

// -----

// Transposes and arithmetic on whole tensors are loops like others: here one, without temporaries.
// CHECK-LABEL: func.func @transposed_bytes
// CHECK-COUNT-2: scf.for
// CHECK-NOT: scf.for
// CHECK: memref.load %{{.*}}[%[[J:.*]], %[[I:.*]]] : memref<3x4xi8>
// CHECK: memref.store %{{.*}}[%[[I]], %[[J]]] : memref<4x3xi8>
// CHECK-NOT: scf.for
func.func @transposed_bytes(%X: memref<3x4xi8>, %Y: memref<4x3xi8>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %empty = tensor.empty() : tensor<4x3xf8E5M2>
  %x = bufferization.to_tensor %X restrict : memref<3x4xi8> to tensor<3x4xi8>
  %floats = arith.bitcast %x : tensor<3x4xi8> to tensor<3x4xf8E5M2>
  %y = linalg.transpose ins(%floats : tensor<3x4xf8E5M2>) outs(%empty : tensor<4x3xf8E5M2>) permutation = [1, 0]
  %bytes = arith.bitcast %y : tensor<4x3xf8E5M2> to tensor<4x3xi8>
  bufferization.materialize_in_destination %bytes in restrict writable %Y : (tensor<4x3xi8>, memref<4x3xi8>) -> ()
  return
}

// -----

// Two temporaries, the first of which is the first thing in the function.
// CHECK-LABEL: func.func @temporaries_first
// CHECK: memref.view %{{.*}}[%c0][] : memref<?xi8> to memref<4xf32>
// CHECK: memref.view %{{.*}}[%c64][] : memref<?xi8> to memref<4xf64>
func.func @temporaries_first(%X: memref<4xf32>, %Y: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %empty = tensor.empty() : tensor<4xf32>
  %other = tensor.empty() : tensor<4xf64>
  %x = bufferization.to_tensor %X restrict : memref<4xf32> to tensor<4xf32>
  %copy = linalg.copy ins(%x : tensor<4xf32>) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
  %wide = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%copy : tensor<4xf32>) outs(%other : tensor<4xf64>) {
  ^bb0(%a: f32, %b: f64):
    %w = arith.extf %a : f32 to f64
    linalg.yield %w : f64
  } -> tensor<4xf64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%x : tensor<4xf32>) {
  ^bb0(%e: f32):
    %i = linalg.index 0 : index
    %p = tensor.extract %copy[%i] : tensor<4xf32>
    %q = tensor.extract %wide[%i] : tensor<4xf64>
    %s = arith.truncf %q : f64 to f32
    %r = arith.addf %p, %s : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// Two dimensions are tasks where the nests have two loops in common and a third inside.
// CHECK-DAG: #[[PAIRS:.*]] = affine_map<()[s0, s1, s2, s3] -> (s0 * s1)>
// CHECK-LABEL: func.func @two_dimensions
// CHECK-SAME: tenon.grid = #[[PAIRS]]
// CHECK: scf.for %[[T:.*]] =
// CHECK: %[[AT:.*]]:2 = affine.delinearize_index %[[T]] into (%{{.*}}, %{{.*}}) : index, index
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[AT]]#0, %[[AT]]#1]
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func @two_dimensions(%X: memref<?x?x8xf32>, %Y: memref<?x?xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?x?x8xf32> to tensor<?x?x8xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %X, %c0 : memref<?x?x8xf32>
  %m = memref.dim %X, %c1 : memref<?x?x8xf32>
  %empty = tensor.empty(%n, %m) : tensor<?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<?x?x8xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?x?xf32>, memref<?x?xf32>) -> ()
  return
}

// -----

// A temporary that is read across: one task, and room for all of it.
// CHECK-DAG: #[[ALL:.*]] = affine_map<()[s0, s1] -> ((s0 ceildiv 2) * 64)>
// CHECK-LABEL: func.func @negative_read_across
// CHECK-SAME: tenon.scratch_bytes = #[[ALL]]
// CHECK: scf.if
// CHECK: memref.view %{{.*}} : memref<?xi8> to memref<?x8xf32>
func.func @negative_read_across(%X: memref<?x8xf32>, %Y: memref<?x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<?x8xf32> to tensor<?x8xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %like = tensor.empty(%n) : tensor<?x8xf32>
  %powers = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%like : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %p = math.exp %a : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%like : tensor<?x8xf32>) {
  ^bb0(%e: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %c1 = arith.constant 1 : index
    %before = arith.subi %n, %c1 : index
    %mirror = arith.subi %before, %i : index
    %r = tensor.extract %powers[%mirror, %j] : tensor<?x8xf32>
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// No columns: nothing to share out.
// CHECK-DAG: #[[ONE:.*]] = affine_map<() -> (1)>
// CHECK-LABEL: func.func @negative_empty
// CHECK-SAME: tenon.grid = #[[ONE]]
func.func @negative_empty(%X: memref<4x0x8xf32>, %Y: memref<4x0xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<4x0x8xf32> to tensor<4x0x8xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x0xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x0xf32>) -> tensor<4x0xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<4x0x8xf32>) outs(%init : tensor<4x0xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x0xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<4x0xf32>, memref<4x0xf32>) -> ()
  return
}
