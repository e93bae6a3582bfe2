// With fail-on-fallback the general path is an error that names kernel and reason.
// RUN: tenon-opt %s --tenon-thread-general-kernels=fail-on-fallback=true -verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.kernel' op @copy has no program on tiles: its results have different shapes; each thread would compute one element of its result, which is slow: allow it by leaving out fail-on-fallback}}
  %0 = tenon.kernel @copy(%X = %x) attributes {tenon.no_program = "its results have different shapes"} : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
