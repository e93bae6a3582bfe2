// In: products. Out: the schedules that a database has for them: of its shape's class, epilogue and version first; what stands in
// the IR or a file by hand goes before it, a model's pick after it.
// RUN: split-file %s %t
// RUN: tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/tuned.jsonl | FileCheck %t/products.mlir
// RUN: tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/tuned.jsonl -o /dev/null \
// RUN:   --remark-format=emitRemark --remarks-filter-passed=tenon-choose-tile-schedules 2>&1 | FileCheck %t/products.mlir --check-prefix=REMARK
// RUN: tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=none -o /dev/null \
// RUN:   --remark-format=emitRemark --remarks-filter-passed=tenon-choose-tile-schedules 2>&1 | FileCheck %s --check-prefix=MODEL
// RUN: tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules="tuning=%t/tuned.jsonl schedules=%t/by-hand" \
// RUN:   | FileCheck %s --check-prefix=HAND
// RUN: tenon-opt %t/chosen.mlir --tenon-choose-tile-schedules=tuning=%t/tuned.jsonl | FileCheck %t/chosen.mlir
// RUN: not tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/row.jsonl 2>&1 | FileCheck %s --check-prefix=ROW
// RUN: not tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/by-hand 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not tenon-opt %t/products.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/none 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: tenon-opt %t/floats.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/floats.jsonl | FileCheck %t/floats.mlir
// RUN: tenon-opt %t/floats.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules="tuning=%t/floats.jsonl tf32=true" | FileCheck %t/floats.mlir --check-prefix=TF32
// RUN: tenon-opt %t/norms.mlir --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=%t/norms.jsonl | FileCheck %t/norms.mlir
// MODEL-COUNT-4: us by the model
// HAND: @linear({{.*}}#tile.gemm<rows = 16, columns = 16, depth = 64>
// ROW: error: @linear: the database {{.*}}row.jsonl has '#tile.row<rows = 1, columns = 2, part = 3>' for product nt 1x128x256x512, which is no schedule of a product, `#tile.gemm<..>`
// FORMAT: error: {{.*}}by-hand:1: expected {"tenon-tuning": 1}, the first line of a database of tenon-tune
// FILE: error: database of tuned schedules: cannot open '{{.*}}none'

//--- by-hand
@linear = #tile.gemm<rows = 16, columns = 16, depth = 64>
//--- tuned.jsonl
{"tenon-tuning": 1}
{"op": "product nt", "shape": "1x128x256x512", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 128, columns = 48, depth = 64>", "us": 7.5, "model_schedule": "#tile.gemm<rows = 64, columns = 32, depth = 64>", "model_us": 8.5, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
{"op": "product nt", "shape": "1x128x256x512", "types": "bf16*bf16->bf16", "epilogue": "addf(n) mulf mulf erfc mulf", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "us": 7.5, "model_schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "model_us": 7.5, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
{"op": "product nt", "shape": "1x128x256x512", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_80", "build": "0.0.1", "schedule": "#tile.gemm<rows = 16, columns = 32, depth = 64>", "us": 7.5, "model_schedule": "#tile.gemm<rows = 64, columns = 32, depth = 64>", "model_us": 8.5, "candidates": 9, "device": "A", "date": "2026-01-01 00:00"}
//--- row.jsonl
{"tenon-tuning": 1}
{"op": "product nt", "shape": "1x128x256x512", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.row<rows = 1, columns = 2, part = 3>", "us": 7.5, "model_schedule": "", "model_us": 8.5, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
//--- floats.jsonl
{"tenon-tuning": 1}
{"op": "product nt", "shape": "1x128x256x512", "types": "f32*f32->f32", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 32, columns = 16, depth = 32, promote = 128>", "us": 7.5, "model_schedule": "", "model_us": 8.5, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
{"op": "product nt, tf32", "shape": "1x128x256x512", "types": "f32*f32->f32", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 16, columns = 16, depth = 32>", "us": 7.5, "model_schedule": "", "model_us": 8.5, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
//--- floats.mlir
// What multiplies f32 is part of the key.
// CHECK: @linear({{.*}}#tile.gemm<rows = 32, columns = 16, depth = 32, promote = 128>
// TF32: @linear({{.*}}#tile.gemm<rows = 16, columns = 16, depth = 32>
func.func @main(%x: tensor<100x512xf32>, %w: tensor<256x512xf32>) -> tensor<100x256xf32> {
  %0 = tenon.linear %x, %w : (tensor<100x512xf32>, tensor<256x512xf32>) -> tensor<100x256xf32>
  return %0 : tensor<100x256xf32>
}
//--- products.mlir
// 100 rows are of the class of 128. Another type, and a depth that varies, have no record.
// CHECK: @linear({{.*}}#tile.gemm<rows = 128, columns = 48, depth = 64>
// CHECK: @linear_gelu({{.*}}#tile.gemm<rows = 64, columns = 16, depth = 64>
// CHECK: @linear_1(
// CHECK: @linear_2(
// REMARK: @linear has #tile.gemm<rows = 128, columns = 48, depth = 64>: from the database {{.*}}tuned.jsonl: 7.5 us on H on 2026-01-01 00:00, the fastest of 9; #tile.gemm<rows = 64, columns = 32, depth = 64>, the model's first, took 8.5 us; measured with version 0.0.1
// REMARK: @linear_gelu has #tile.gemm<rows = 64, columns = 16, depth = 64>: from the database {{.*}}the fastest of 9, which is the model's first; measured
// REMARK: @linear_1 has {{.*}} by the model
// REMARK: @linear_2 has {{.*}} by the model
func.func @main(%x: tensor<100x512xbf16>, %w: tensor<256x512xbf16>, %b: tensor<256xbf16>, %xh: tensor<100x512xf16>, %wh: tensor<256x512xf16>,
                %xv: tensor<100x?xbf16> {tenon.dims = ["", "depth"]}, %wv: tensor<256x?xbf16> {tenon.dims = ["", "depth"]})
    -> (tensor<100x256xbf16>, tensor<100x256xbf16>, tensor<100x256xf16>, tensor<100x256xbf16>) {
  %0 = tenon.linear %x, %w : (tensor<100x512xbf16>, tensor<256x512xbf16>) -> tensor<100x256xbf16>
  %1 = tenon.linear %x, %w, %b : (tensor<100x512xbf16>, tensor<256x512xbf16>, tensor<256xbf16>) -> tensor<100x256xbf16>
  %2 = tenon.gelu %1 : (tensor<100x256xbf16>) -> tensor<100x256xbf16>
  %3 = tenon.linear %xh, %wh : (tensor<100x512xf16>, tensor<256x512xf16>) -> tensor<100x256xf16>
  %4 = tenon.linear %xv, %wv : (tensor<100x?xbf16>, tensor<256x?xbf16>) -> tensor<100x256xbf16>
  return %0, %2, %3, %4 : tensor<100x256xbf16>, tensor<100x256xbf16>, tensor<100x256xf16>, tensor<100x256xbf16>
}
//--- chosen.mlir
// CHECK: @linear({{.*}}#tile.gemm<rows = 32, columns = 16, depth = 64>
#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<100x512xbf16>, %w: tensor<256x512xbf16>) -> tensor<100x256xbf16> {
  %y = tenon.kernel @linear(%X = %x, %W = %w) attributes {tenon.schedule = #tile.gemm<rows = 32, columns = 16, depth = 64>} : (tensor<100x512xbf16>, tensor<256x512xbf16>) -> tensor<100x256xbf16> {
    %zero = arith.constant 0.0 : bf16
    %empty = tensor.empty() : tensor<100x256xbf16>
    %init = linalg.fill ins(%zero : bf16) outs(%empty : tensor<100x256xbf16>) -> tensor<100x256xbf16>
    %0 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%X, %W : tensor<100x512xbf16>, tensor<256x512xbf16>) outs(%init : tensor<100x256xbf16>) {
    ^bb0(%l: bf16, %r: bf16, %out: bf16):
      %1 = arith.mulf %l, %r : bf16
      %2 = arith.addf %out, %1 : bf16
      linalg.yield %2 : bf16
    } -> tensor<100x256xbf16>
    tenon.yield %0 : tensor<100x256xbf16>
  }
  return %y : tensor<100x256xbf16>
}
//--- norms.jsonl
{"tenon-tuning": 1}
{"op": "product nt", "shape": "1x128x768x768", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "us": 8.0, "model_schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "model_us": 8.0, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
{"op": "product nt", "shape": "1x16x4096x4096", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 16, columns = 32, depth = 512>", "us": 100.0, "model_schedule": "#tile.gemm<rows = 16, columns = 32, depth = 512>", "model_us": 100.0, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
{"op": "product nt", "shape": "1x128x384x768", "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.0.1", "schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "us": 4.0, "model_schedule": "#tile.gemm<rows = 64, columns = 16, depth = 64>", "model_us": 4.0, "candidates": 9, "device": "H", "date": "2026-01-01 00:00"}
//--- norms.mlir
// A record was measured with a kernel that adds the parts of a split product; a norm that comes next does that.
// CHECK: @linear({{.*}}split_k = 2>
func.func @main(%x: tensor<128x768xbf16>, %w: tensor<768x768xbf16>, %g: tensor<768xbf16>) -> tensor<128x768xbf16> {
  %0 = tenon.linear %x, %w : (tensor<128x768xbf16>, tensor<768x768xbf16>) -> tensor<128x768xbf16>
  %1 = tenon.rms_norm %0, %g {epsilon = 1.0e-5 : f64} : (tensor<128x768xbf16>, tensor<768xbf16>) -> tensor<128x768xbf16>
  return %1 : tensor<128x768xbf16>
}

// -----

// CHECK: @linear({{.*}}#tile.gemm<rows = 64, columns = 16, depth = 64>
func.func @main(%x: tensor<128x768xbf16>, %w: tensor<768x768xbf16>) -> tensor<128x768xbf16> {
  %0 = tenon.linear %x, %w : (tensor<128x768xbf16>, tensor<768x768xbf16>) -> tensor<128x768xbf16>
  return %0 : tensor<128x768xbf16>
}

// -----

// Few rows are bound by memory, with a split and without.
// CHECK: @linear({{.*}}#tile.gemm<rows = 16, columns = 32, depth = 512>
func.func @main(%x: tensor<16x4096xbf16>, %w: tensor<4096x4096xbf16>, %g: tensor<4096xbf16>) -> tensor<16x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<16x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<16x4096xbf16>
  %1 = tenon.rms_norm %0, %g {epsilon = 1.0e-5 : f64} : (tensor<16x4096xbf16>, tensor<4096xbf16>) -> tensor<16x4096xbf16>
  return %1 : tensor<16x4096xbf16>
}

// -----

// What was measured is faster than a split may be.
// CHECK: @linear({{.*}}#tile.gemm<rows = 64, columns = 16, depth = 64>
func.func @main(%x: tensor<128x768xbf16>, %w: tensor<384x768xbf16>, %g: tensor<384xbf16>) -> tensor<128x384xbf16> {
  %0 = tenon.linear %x, %w : (tensor<128x768xbf16>, tensor<384x768xbf16>) -> tensor<128x384xbf16>
  %1 = tenon.rms_norm %0, %g {epsilon = 1.0e-5 : f64} : (tensor<128x384xbf16>, tensor<384xbf16>) -> tensor<128x384xbf16>
  return %1 : tensor<128x384xbf16>
}
