// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// What attributes written by hand may not say.

// expected-error@+1 {{lanes is 3, expected a power of two from 1 to 64}}
func.func private @lanes() attributes {schedule = #tenon.cpu_loops<lanes = 3>}

// -----

// expected-error@+1 {{columns is 40, expected a multiple of lanes = 16}}
func.func private @columns() attributes {schedule = #tenon.cpu_gemm<rows = 6, columns = 40, lanes = 16, chunk = 48>}

// -----

// expected-error@+1 {{chunk is 8, expected a multiple of queries = 6}}
func.func private @chunk() attributes {schedule = #tenon.cpu_attention<queries = 6, keys = 64, lanes = 16, chunk = 8>}

// -----

// expected-error@+1 {{sizes are affine_map<()[s0] -> (s0)>, expected a map of symbols alone with two results}}
func.func private @sizes() attributes {size = #tenon.size_condition<equal, affine_map<()[s0] -> (s0)>, "tenon.add">}
