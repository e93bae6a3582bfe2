func.func @main(%a: tensor<8192x4096xbf16>, %b: tensor<8192x4096xbf16>, %w: tensor<4096xbf16>) -> tensor<8192x4096xbf16> {
  %s = tenon.add %a, %b : (tensor<8192x4096xbf16>, tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16>
  %y = tenon.rms_norm %s, %w {epsilon = 1.0e-5 : f64} : (tensor<8192x4096xbf16>, tensor<4096xbf16>) -> tensor<8192x4096xbf16>
  return %y : tensor<8192x4096xbf16>
}
