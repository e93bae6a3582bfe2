// In: a norm of long rows, by four warps. ptxas by itself takes 72 registers, so that one CTA more fits a multiprocessor,
// and spills; asked again for one CTA it takes more and does not. Out: no general path, no spill.
// RUN: rm -rf %t && tenon-compile %s --target=sm_90a --fail-on-fallback --dump=%t -o %t.tnx
// RUN: FileCheck %s < %t/kernels/rms_norm.ptxas.txt
// CHECK: 0 bytes spill stores, 0 bytes spill loads
// CHECK: Used {{7[3-9]|[89][0-9]}} registers
func.func @main(%x0: tensor<8192x4096xbf16>, %w0: tensor<4096xbf16>) -> tensor<8192x4096xbf16> {
  %y = tenon.rms_norm %x0, %w0 {epsilon = 1.0e-5 : f64} : (tensor<8192x4096xbf16>, tensor<4096xbf16>) -> tensor<8192x4096xbf16>
  return %y : tensor<8192x4096xbf16>
}
