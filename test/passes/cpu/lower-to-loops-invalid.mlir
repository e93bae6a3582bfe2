// What does not become loops says why.
// RUN: tenon-opt %s --split-input-file --tenon-cpu-lower-to-loops --verify-diagnostics

func.func @data_dependent(%X: memref<i64>, %Y: memref<1xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %x = bufferization.to_tensor %X restrict : memref<i64> to tensor<i64>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %held = tensor.extract %x[] : tensor<i64>
  %n = arith.index_cast %held : i64 to index
  // expected-error @below {{kernel @data_dependent needs a temporary 'memref<?xf32>' whose size depends on data}}
  %empty = tensor.empty(%n) : tensor<?xf32>
  %t = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %first_element = tensor.extract %t[%c0] : tensor<?xf32>
  %y = tensor.from_elements %first_element : tensor<1xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<1xf32>, memref<1xf32>) -> ()
  return
}

// -----

// expected-error @below {{kernel @attention still has tenon.attention; run tenon-expand-attention first}}
func.func @attention(%Q: memref<1x1x4x8xf32>, %Y: memref<1x1x4x8xf32>, %first: index, %last: index, %scratch: memref<?xi8>) attributes {tenon.kernel} {
  %q = bufferization.to_tensor %Q restrict : memref<1x1x4x8xf32> to tensor<1x1x4x8xf32>
  %y = tenon.attention %q, %q, %q : (tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  bufferization.materialize_in_destination %y in restrict writable %Y : (tensor<1x1x4x8xf32>, memref<1x1x4x8xf32>) -> ()
  return
}
