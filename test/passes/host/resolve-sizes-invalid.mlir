// What the entry must say, and what a size must be.
// RUN: tenon-opt %s --split-input-file --verify-diagnostics --tenon-resolve-sizes

// expected-error @+1 {{no function @main with a body}}
module {}

// -----

// expected-error @+1 {{argument 0 of @main is 'tensor<?xf32>', its attribute `tenon.dims` must be an array of 1 strings}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{argument 0 of @main has a dynamic dimension 0 without a name}}
func.func @main(%x: tensor<?xf32> {tenon.dims = [""]}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

module attributes {tenon.dim_bounds = {n = array<i64: 4, 1>}} {
  // expected-error @+1 {{`tenon.dim_bounds` of n is array<i64: 4, 1>, expected array<i64: least, greatest>}}
  func.func @main(%x: tensor<?xf32> {tenon.dims = ["n"]}) -> tensor<?xf32> {
    return %x : tensor<?xf32>
  }
}

// -----

// A slice that may or may not be shorter than its input.
func.func @main(%x: tensor<?xf32> {tenon.dims = ["n"]}) -> tensor<?xf32> {
  // expected-error @+1 {{'tenon.slice' op size 0 of 'tensor<?xf32>' is not an expression over the named dimensions of @main; sizes come of constants}}
  %s = tenon.slice %x {starts = array<i64: 0>, ends = array<i64: 8>, steps = array<i64: 1>} : (tensor<?xf32>) -> tensor<?xf32>
  return %s : tensor<?xf32>
}
