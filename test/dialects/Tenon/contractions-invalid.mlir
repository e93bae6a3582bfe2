// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of matrix products, attention, convolution, broken once.

func.func @matmul_c1(%a: tensor<2x4xf32>, %b: tensor<4x8xf32>) {
  // expected-error@+1 {{'tenon.matmul' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x8xf32>'}}
  %r = tenon.matmul %a, %b : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @matmul_c2(%a: tensor<2x4xf32>, %b: tensor<5x8xf32>) {
  // expected-error@+1 {{'tenon.matmul' op (C2) contracts 4 of lhs with 5 of rhs}}
  %r = tenon.matmul %a, %b : (tensor<2x4xf32>, tensor<5x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @matmul_c2_transposed(%a: tensor<2x4xf32>, %b: tensor<4x8xf32>) {
  // expected-error@+1 {{'tenon.matmul' op (C2) contracts 4 of lhs with 8 of rhs}}
  %r = tenon.matmul %a, %b {transpose_b} : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @matmul_c3(%a: tensor<4xf32>, %b: tensor<4x8xf32>) {
  // expected-error@+1 {{'tenon.matmul' op (C3) has operands of rank 1 and 2, expected at least 2 each}}
  %r = tenon.matmul %a, %b : (tensor<4xf32>, tensor<4x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @matmul_c4(%a: tensor<2x4xf32>, %b: tensor<4x8xf16>) {
  // expected-error@+1 {{'tenon.matmul' op (C4) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.matmul %a, %b : (tensor<2x4xf32>, tensor<4x8xf16>) -> tensor<2x8xf32>
  return
}

// -----

func.func @matmul_c5(%a: tensor<2x2x4xf32>, %b: tensor<3x4x8xf32>) {
  // expected-error@+1 {{'tenon.matmul' op (C5) cannot broadcast 3 of rhs with 2 in result dimension 0; sizes must be equal or 1}}
  %r = tenon.matmul %a, %b : (tensor<2x2x4xf32>, tensor<3x4x8xf32>) -> tensor<2x2x8xf32>
  return
}

// -----

func.func @linear_c1(%a: tensor<2x4xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{'tenon.linear' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x8xf32>'}}
  %r = tenon.linear %a, %b : (tensor<2x4xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @linear_c2(%a: tensor<2x4xf32>, %b: tensor<8x5xf32>) {
  // expected-error@+1 {{'tenon.linear' op (C2) contracts 4 of input with 5 of weight}}
  %r = tenon.linear %a, %b : (tensor<2x4xf32>, tensor<8x5xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_c3(%a: tensor<2x4xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.linear' op (C3) has input of rank 2 and weight of rank 1, expected at least 1 and exactly 2}}
  %r = tenon.linear %a, %b : (tensor<2x4xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_c4(%a: tensor<2x4xf32>, %b: tensor<8x4xf32>, %c: tensor<8xf16>) {
  // expected-error@+1 {{'tenon.linear' op (C4) bias has element type 'f16', expected 'f32'}}
  %r = tenon.linear %a, %b, %c : (tensor<2x4xf32>, tensor<8x4xf32>, tensor<8xf16>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_c5(%a: tensor<2x4xf32>, %b: tensor<8x4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'tenon.linear' op (C5) bias has shape [4], expected [8]}}
  %r = tenon.linear %a, %b, %c : (tensor<2x4xf32>, tensor<8x4xf32>, tensor<4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @attention_c1(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C1) result 0 is 'tensor<2x4x5x8xf32>', expected 'tensor<2x4x5x16xf32>'}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c2(%a: tensor<4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C2) has query, key and value of rank 3, 4 and 4, expected 4 each: [batch, heads, sequence, head size]}}
  %r = tenon.attention %a, %b, %c : (tensor<4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c3(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf16>) {
  // expected-error@+1 {{'tenon.attention' op (C3) value has element type 'f16', expected 'f32'}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf16>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c4(%a: tensor<2x4x5x8xf32>, %b: tensor<3x2x7x8xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C4) has batches 2, 3 and 2 of query, key and value, expected equal ones}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<3x2x7x8xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c5(%a: tensor<2x4x5x8xf32>, %b: tensor<2x3x7x8xf32>, %c: tensor<2x3x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C5) has 4 query heads over 3 key heads and 3 value heads, expected a multiple of one number}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x3x7x8xf32>, tensor<2x3x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c5_value(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x4x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C5) has 4 query heads over 2 key heads and 4 value heads, expected a multiple of one number}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x4x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c6(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x9xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C6) has head size 8 of query and 9 of key, expected equal ones}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x2x7x9xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c7(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x6x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C7) has 7 keys and 6 values, expected equal numbers}}
  %r = tenon.attention %a, %b, %c : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x6x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c8(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>, %d: tensor<2x5x1x7xi1>) {
  // expected-error@+1 {{'tenon.attention' op (C8) mask has shape [2, 5, 1, 7], expected one that broadcasts to [2, 4, 5, 7]}}
  %r = tenon.attention %a, %b, %c mask(%d) : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>, tensor<2x5x1x7xi1>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c9(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>, %d: tensor<2x1x1x7xf16>) {
  // expected-error@+1 {{'tenon.attention' op (C9) mask has element type 'f16', expected 'i1' or 'f32'}}
  %r = tenon.attention %a, %b, %c mask(%d) : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>, tensor<2x1x1x7xf16>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c10(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C10) window is 0, expected at least 1}}
  %r = tenon.attention %a, %b, %c {window = 0 : i64} : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @attention_c12_keys(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %n: tensor<3xi32>) {
  // expected-error@+1 {{'tenon.attention' op (C12) key_lengths has shape [3], expected [2]}}
  %r = tenon.attention %a, %b, %b key_lengths(%n) : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<3xi32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c12_queries(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %n: tensor<2x1xi64>) {
  // expected-error@+1 {{'tenon.attention' op (C12) query_lengths has shape [2, 1], expected [2]}}
  %r = tenon.attention %a, %b, %b query_lengths(%n) : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2x1xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c1_no_sums(%a: tensor<2x4x5x8xf16>, %b: tensor<2x2x7x8xf16>) {
  // expected-error@+1 {{'tenon.attention' op (C1) has 1 results, expected 2}}
  %r = tenon.attention %a, %b, %b {log_sum_exp} : (tensor<2x4x5x8xf16>, tensor<2x2x7x8xf16>, tensor<2x2x7x8xf16>) -> tensor<2x4x5x8xf16>
  return
}

// -----

func.func @attention_c1_sums_type(%a: tensor<2x4x5x8xf16>, %b: tensor<2x2x7x8xf16>) {
  // expected-error@+1 {{'tenon.attention' op (C1) result 1 is 'tensor<2x4x5xf16>', expected 'tensor<2x4x5xf32>'}}
  %r, %l = tenon.attention %a, %b, %b {log_sum_exp} : (tensor<2x4x5x8xf16>, tensor<2x2x7x8xf16>, tensor<2x2x7x8xf16>) -> (tensor<2x4x5x8xf16>, tensor<2x4x5xf16>)
  return
}

// -----

func.func @attention_c15(%a: tensor<2x4x5x8xf32>, %b: tensor<9x2x16x8xf32>, %t: tensor<3x6xi32>) {
  // expected-error@+1 {{'tenon.attention' op (C15) has block_table [3, 6] of pools of 9 and 9 pages, expected [2, P] and one number of pages}}
  %r = tenon.attention %a, %b, %b block_table(%t) : (tensor<2x4x5x8xf32>, tensor<9x2x16x8xf32>, tensor<9x2x16x8xf32>, tensor<3x6xi32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c15_pools(%a: tensor<2x4x5x8xf32>, %b: tensor<9x2x16x8xf32>, %c: tensor<8x2x16x8xf32>, %t: tensor<2x6xi32>) {
  // expected-error@+1 {{'tenon.attention' op (C15) has block_table [2, 6] of pools of 9 and 8 pages, expected [2, P] and one number of pages}}
  %r = tenon.attention %a, %b, %c block_table(%t) : (tensor<2x4x5x8xf32>, tensor<9x2x16x8xf32>, tensor<8x2x16x8xf32>, tensor<2x6xi32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c15_packed(%a: tensor<2x4x5x32xf8E4M3FN>, %b: tensor<9x2x16x32xf8E4M3FN>, %c: tensor<9x2x32x16xf8E4M3FN>, %t: tensor<2x6xi32>) {
  // expected-error@+1 {{'tenon.attention' op (C15) has block_table of packed values, expected values as they are}}
  %r = tenon.attention %a, %b, %c block_table(%t) {packed} : (tensor<2x4x5x32xf8E4M3FN>, tensor<9x2x16x32xf8E4M3FN>, tensor<9x2x32x16xf8E4M3FN>, tensor<2x6xi32>) -> tensor<2x4x5x32xf16>
  return
}

// -----

func.func @attention_c8_pages(%a: tensor<2x4x5x8xf32>, %b: tensor<9x2x16x8xf32>, %m: tensor<5x16xi1>, %t: tensor<2x6xi32>) {
  // expected-error@+1 {{'tenon.attention' op (C8) mask has shape [5, 16], expected one that broadcasts to [2, 4, 5, 96]}}
  %r = tenon.attention %a, %b, %b mask(%m) block_table(%t) : (tensor<2x4x5x8xf32>, tensor<9x2x16x8xf32>, tensor<9x2x16x8xf32>, tensor<5x16xi1>, tensor<2x6xi32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c11(%a: tensor<2x4x5x8xf32>, %b: tensor<2x2x7x8xf32>, %c: tensor<2x2x7x16xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C11) soft_cap is 0.000000e+00, expected a finite number above 0}}
  %r = tenon.attention %a, %b, %c {soft_cap = 0.0 : f64} : (tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x16xf32>) -> tensor<2x4x5x16xf32>
  return
}

// -----

func.func @convolution_c1(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C1) result 0 is 'tensor<1x6x8x8xf32>', expected 'tensor<1x6x6x6xf32>'}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32>
  return
}

// -----

func.func @convolution_c2(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C2) has input of rank 4 and weight of rank 3, expected 3 and 3 or 4 and 4}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c3(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf16>) {
  // expected-error@+1 {{'tenon.convolution' op (C3) weight has element type 'f16', expected 'f32'}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf16>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c4(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C4) stride has 1 entries, expected 2}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c4_zero(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C4) stride has an entry 0, expected at least 1}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 0>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c5(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C5) has 3 groups of 4 input and 6 output channels, expected a divisor of both}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c6(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C6) weight takes 4 channels a group, expected 2}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>, groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c7(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C7) bias has shape [4], expected [6]}}
  %r = tenon.convolution %a, %b, %c {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<4xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @convolution_c8(%a: tensor<1x4x8x8xf32>, %b: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{'tenon.convolution' op (C8) window 3 with dilation 4 does not fit into 8 with padding 0}}
  %r = tenon.convolution %a, %b {stride = array<i64: 1, 1>, padding = array<i64: 0, 0>, dilation = array<i64: 4, 4>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @attention_c1_bytes(%q: tensor<1x2x4x32xf8E4M3FN>) {
  // expected-error@+1 {{'tenon.attention' op (C1) gives 'f64' of 8-bit floats, expected f16, bf16 or f32}}
  %r = tenon.attention %q, %q, %q : (tensor<1x2x4x32xf8E4M3FN>, tensor<1x2x4x32xf8E4M3FN>, tensor<1x2x4x32xf8E4M3FN>) -> tensor<1x2x4x32xf64>
  return
}

// -----

func.func @attention_c13_scales(%q: tensor<1x2x4x32xf16>, %s: tensor<f32>) {
  // expected-error@+1 {{'tenon.attention' op (C13) has scales, or is packed, of 'f16', expected f8E4M3FN}}
  %r = tenon.attention %q, %q, %q scales(%s, %s, %s) : (tensor<1x2x4x32xf16>, tensor<1x2x4x32xf16>, tensor<1x2x4x32xf16>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<1x2x4x32xf16>
  return
}

// -----

func.func @attention_c14(%q: tensor<1x2x4x32xf8E4M3FN>, %s: tensor<f32>, %k: tensor<1x2x4x1xf32>) {
  // expected-error@+1 {{'tenon.attention' op (C14) key_scale has shape [1, 2, 4, 1], expected one that broadcasts to [1, 2, 1, 1]}}
  %r = tenon.attention %q, %q, %q scales(%s, %k, %s) : (tensor<1x2x4x32xf8E4M3FN>, tensor<1x2x4x32xf8E4M3FN>, tensor<1x2x4x32xf8E4M3FN>, tensor<f32>, tensor<1x2x4x1xf32>, tensor<f32>) -> tensor<1x2x4x32xbf16>
  return
}

// -----

func.func @attention_c7_packed(%q: tensor<1x2x20x32xf8E4M3FN>, %v: tensor<1x2x32x20xf8E4M3FN>) {
  // expected-error@+1 {{'tenon.attention' op (C7) has 32 keys and 20 values, expected equal numbers}}
  %r = tenon.attention %q, %q, %v {packed} : (tensor<1x2x20x32xf8E4M3FN>, tensor<1x2x20x32xf8E4M3FN>, tensor<1x2x32x20xf8E4M3FN>) -> tensor<1x2x20x32xbf16>
  return
}

// -----

func.func @pack_values_c2(%v: tensor<2x20x32xf8E4M3FN>) {
  // expected-error@+1 {{'tenon.pack_values' op (C2) has a value of rank 3, expected 4: [batch, heads, keys, columns]}}
  %r = tenon.pack_values %v : (tensor<2x20x32xf8E4M3FN>) -> tensor<2x32x32xf8E4M3FN>
  return
}

// -----

func.func @pack_values_c1(%v: tensor<1x2x20x32xf8E4M3FN>) {
  // expected-error@+1 {{'tenon.pack_values' op (C1) result 0 is 'tensor<1x2x32x20xf8E4M3FN>', expected 'tensor<1x2x32x32xf8E4M3FN>'}}
  %r = tenon.pack_values %v : (tensor<1x2x20x32xf8E4M3FN>) -> tensor<1x2x32x20xf8E4M3FN>
  return
}
