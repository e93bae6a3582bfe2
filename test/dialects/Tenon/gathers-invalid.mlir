// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of gathers, scatters and caches, broken once.

func.func @embedding_c1(%a: tensor<9x8xf32>, %b: tensor<2xi64>) {
  // expected-error@+1 {{'tenon.embedding' op (C1) result 0 is 'tensor<2x9xf32>', expected 'tensor<2x8xf32>'}}
  %r = tenon.embedding %a, %b : (tensor<9x8xf32>, tensor<2xi64>) -> tensor<2x9xf32>
  return
}

// -----

func.func @embedding_c2(%a: tensor<8xf32>, %b: tensor<2xi64>) {
  // expected-error@+1 {{'tenon.embedding' op (C2) table has rank 1, expected 2: [rows, columns]}}
  %r = tenon.embedding %a, %b : (tensor<8xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @embedding_c3(%a: tensor<0x8xf32>, %b: tensor<2xi64>) {
  // expected-error@+1 {{'tenon.embedding' op (C3) takes 2 indices into 0 places, expected none}}
  %r = tenon.embedding %a, %b : (tensor<0x8xf32>, tensor<2xi64>) -> tensor<2x8xf32>
  return
}

// -----

func.func @gather_c1(%a: tensor<2x5x8xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{'tenon.gather' op (C1) result 0 is 'tensor<2x5x8xf32>', expected 'tensor<2x3x8xf32>'}}
  %r = tenon.gather %a, %b {axis = 1 : i64} : (tensor<2x5x8xf32>, tensor<3xi64>) -> tensor<2x5x8xf32>
  return
}

// -----

func.func @gather_c2(%a: tensor<2x5x8xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{'tenon.gather' op (C2) axis is 3, expected 0 <= axis < rank 3}}
  %r = tenon.gather %a, %b {axis = 3 : i64} : (tensor<2x5x8xf32>, tensor<3xi64>) -> tensor<2x5x8xf32>
  return
}

// -----

func.func @gather_c3(%a: tensor<2x0x8xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{'tenon.gather' op (C3) takes 3 indices into 0 places, expected none}}
  %r = tenon.gather %a, %b {axis = 1 : i64} : (tensor<2x0x8xf32>, tensor<3xi64>) -> tensor<2x3x8xf32>
  return
}

// -----

func.func @gather_elements_c1(%a: tensor<2x5xf32>, %b: tensor<2x3xi64>) {
  // expected-error@+1 {{'tenon.gather_elements' op (C1) result 0 is 'tensor<2x5xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.gather_elements %a, %b {axis = 1 : i64} : (tensor<2x5xf32>, tensor<2x3xi64>) -> tensor<2x5xf32>
  return
}

// -----

func.func @gather_elements_c2(%a: tensor<2x5xf32>, %b: tensor<2x3xi64>) {
  // expected-error@+1 {{'tenon.gather_elements' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.gather_elements %a, %b {axis = 2 : i64} : (tensor<2x5xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gather_elements_c3(%a: tensor<2x5xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{'tenon.gather_elements' op (C3) indices have rank 1, expected 2 of input}}
  %r = tenon.gather_elements %a, %b {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @gather_elements_c4(%a: tensor<2x5xf32>, %b: tensor<3x3xi64>) {
  // expected-error@+1 {{'tenon.gather_elements' op (C4) indices have size 3 in dimension 0, above 2 of input}}
  %r = tenon.gather_elements %a, %b {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3x3xi64>) -> tensor<3x3xf32>
  return
}

// -----

func.func @gather_elements_c5(%a: tensor<2x0xf32>, %b: tensor<2x3xi64>) {
  // expected-error@+1 {{'tenon.gather_elements' op (C5) takes 6 indices into 0 places, expected none}}
  %r = tenon.gather_elements %a, %b {axis = 1 : i64} : (tensor<2x0xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gather_nd_c1(%a: tensor<4x5x8xf32>, %b: tensor<3x2xi64>) {
  // expected-error@+1 {{'tenon.gather_nd' op (C1) result 0 is 'tensor<3x5xf32>', expected 'tensor<3x8xf32>'}}
  %r = tenon.gather_nd %a, %b : (tensor<4x5x8xf32>, tensor<3x2xi64>) -> tensor<3x5xf32>
  return
}

// -----

func.func @gather_nd_c2(%a: tensor<4x5x8xf32>, %b: tensor<3x?xi64>) {
  // expected-error@+1 {{'tenon.gather_nd' op (C2) indices are 'tensor<3x?xi64>', expected a static last dimension}}
  %r = tenon.gather_nd %a, %b : (tensor<4x5x8xf32>, tensor<3x?xi64>) -> tensor<3x8xf32>
  return
}

// -----

func.func @gather_nd_c3(%a: tensor<4x5xf32>, %b: tensor<3x3xi64>) {
  // expected-error@+1 {{'tenon.gather_nd' op (C3) indices name 3 dimensions, input has rank 2}}
  %r = tenon.gather_nd %a, %b : (tensor<4x5xf32>, tensor<3x3xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @gather_nd_c4(%a: tensor<4x0x8xf32>, %b: tensor<3x2xi64>) {
  // expected-error@+1 {{'tenon.gather_nd' op (C4) takes 6 indices into 0 places, expected none}}
  %r = tenon.gather_nd %a, %b : (tensor<4x0x8xf32>, tensor<3x2xi64>) -> tensor<3x8xf32>
  return
}

// -----

func.func @scatter_c1(%a: tensor<2x5xf32>, %b: tensor<3xi64>, %c: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.scatter' op (C1) result 0 is 'tensor<2x3xf32>', expected 'tensor<2x5xf32>'}}
  %r = tenon.scatter %a, %b, %c {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_c2(%a: tensor<2x5xf32>, %b: tensor<3xi64>, %c: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.scatter' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.scatter %a, %b, %c {axis = 2 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x3xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @scatter_c3(%a: tensor<2x5xf32>, %b: tensor<3xi64>, %c: tensor<2x3xf16>) {
  // expected-error@+1 {{'tenon.scatter' op (C3) updates has element type 'f16', expected 'f32'}}
  %r = tenon.scatter %a, %b, %c {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x3xf16>) -> tensor<2x5xf32>
  return
}

// -----

func.func @scatter_c4(%a: tensor<2x5xf32>, %b: tensor<3xi64>, %c: tensor<2x4xf32>) {
  // expected-error@+1 {{'tenon.scatter' op (C4) updates has shape [2, 4], expected [2, 3]}}
  %r = tenon.scatter %a, %b, %c {axis = 1 : i64} : (tensor<2x5xf32>, tensor<3xi64>, tensor<2x4xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @scatter_c5(%a: tensor<2x0xf32>, %b: tensor<3xi64>, %c: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.scatter' op (C5) takes 3 indices into 0 places, expected none}}
  %r = tenon.scatter %a, %b, %c {axis = 1 : i64} : (tensor<2x0xf32>, tensor<3xi64>, tensor<2x3xf32>) -> tensor<2x0xf32>
  return
}

// -----

func.func @kv_cache_append_c1(%a: tensor<1x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C1) result 0 is 'tensor<1x8x2x4xf16>', expected 'tensor<1x8x16x4xf16>'}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<i64>) -> tensor<1x8x2x4xf16>
  return
}

// -----

func.func @kv_cache_append_c2(%a: tensor<1x8x16x4xf16>, %b: tensor<8x2x4xf16>, %c: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C2) has cache of rank 4 and update of rank 3, expected 4 each: [batch, heads, sequence, head size]}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<8x2x4xf16>, tensor<i64>) -> tensor<1x8x16x4xf16>
  return
}

// -----

func.func @kv_cache_append_c3(%a: tensor<1x8x16x4xf16>, %b: tensor<1x8x2x4xf32>, %c: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C3) update has element type 'f32', expected 'f16'}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<1x8x2x4xf32>, tensor<i64>) -> tensor<1x8x16x4xf16>
  return
}

// -----

func.func @kv_cache_append_c4(%a: tensor<1x8x16x4xf16>, %b: tensor<1x8x2x5xf16>, %c: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C4) update has shape [1, 8, 2, 5], expected [1, 8, 2, 4]}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<1x8x2x5xf16>, tensor<i64>) -> tensor<1x8x16x4xf16>
  return
}

// -----

func.func @kv_cache_append_c5(%a: tensor<1x8x16x4xf16>, %b: tensor<1x8x17x4xf16>, %c: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C5) appends 17 positions to a cache of 16}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<1x8x17x4xf16>, tensor<i64>) -> tensor<1x8x16x4xf16>
  return
}

// -----

func.func @kv_cache_append_c6(%a: tensor<1x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<1xi64>) {
  // expected-error@+1 {{'tenon.kv_cache_append' op (C6) position is 'tensor<1xi64>', expected rank 0}}
  %r = tenon.kv_cache_append %a, %b, %c : (tensor<1x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<1xi64>) -> tensor<1x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c1(%a: tensor<9x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<1xi64>, %d: tensor<1x3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C1) result 0 is 'tensor<1x8x2x4xf16>', expected 'tensor<9x8x16x4xf16>'}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<1xi64>, tensor<1x3xi32>) -> tensor<1x8x2x4xf16>
  return
}

// -----

func.func @kv_pages_append_c2(%a: tensor<9x8x16x4xf16>, %b: tensor<8x2x4xf16>, %c: tensor<1xi64>, %d: tensor<1x3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C2) has pool of rank 4 and update of rank 3, expected 4 each: [pages, heads, page, head size] and [batch, heads, sequence, head size]}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<8x2x4xf16>, tensor<1xi64>, tensor<1x3xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c3(%a: tensor<9x8x16x4xf16>, %b: tensor<1x8x2x4xf32>, %c: tensor<1xi64>, %d: tensor<1x3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C3) update has element type 'f32', expected 'f16'}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x8x2x4xf32>, tensor<1xi64>, tensor<1x3xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c4(%a: tensor<9x8x16x4xf16>, %b: tensor<1x7x2x4xf16>, %c: tensor<1xi64>, %d: tensor<1x3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C4) update has shape [1, 7, 2, 4], expected [1, 8, 2, 4]}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x7x2x4xf16>, tensor<1xi64>, tensor<1x3xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c5_position(%a: tensor<9x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<2xi64>, %d: tensor<1x3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C5) position has shape [2], expected [1]}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<2xi64>, tensor<1x3xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c5_table(%a: tensor<9x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<1xi64>, %d: tensor<3xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C5) has block_table [3], expected [1, P]}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<1xi64>, tensor<3xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_pages_append_c6(%a: tensor<9x8x16x4xf16>, %b: tensor<1x8x2x4xf16>, %c: tensor<1xi64>, %d: tensor<1x0xi32>) {
  // expected-error@+1 {{'tenon.kv_pages_append' op (C6) appends 2 positions to 0 pages of 16}}
  %r = tenon.kv_pages_append %a, %b, %c, %d : (tensor<9x8x16x4xf16>, tensor<1x8x2x4xf16>, tensor<1xi64>, tensor<1x0xi32>) -> tensor<9x8x16x4xf16>
  return
}

// -----

func.func @kv_cache_read_c1(%a: tensor<1x8x16x4xf16>, %b: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_read' op (C1) result 0 is 'tensor<1x8x?x5xf16>', expected 'tensor<1x8x?x4xf16>'}}
  %r = tenon.kv_cache_read %a, %b : (tensor<1x8x16x4xf16>, tensor<i64>) -> tensor<1x8x?x5xf16>
  return
}

// -----

func.func @kv_cache_read_c2(%a: tensor<8x16x4xf16>, %b: tensor<i64>) {
  // expected-error@+1 {{'tenon.kv_cache_read' op (C2) has cache of rank 3, expected 4: [batch, heads, sequence, head size]}}
  %r = tenon.kv_cache_read %a, %b : (tensor<8x16x4xf16>, tensor<i64>) -> tensor<8x?x4xf16>
  return
}

// -----

func.func @kv_cache_read_c3(%a: tensor<1x8x16x4xf16>, %b: tensor<1xi64>) {
  // expected-error@+1 {{'tenon.kv_cache_read' op (C3) length is 'tensor<1xi64>', expected rank 0}}
  %r = tenon.kv_cache_read %a, %b : (tensor<1x8x16x4xf16>, tensor<1xi64>) -> tensor<1x8x?x4xf16>
  return
}
