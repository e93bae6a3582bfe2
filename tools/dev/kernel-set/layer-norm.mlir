func.func @main(%x: tensor<8192x4096xbf16>, %w: tensor<4096xbf16>, %b: tensor<4096xbf16>) -> tensor<8192x4096xbf16> {
  %y = tenon.layer_norm %x weight(%w) bias(%b) {epsilon = 1.0e-5 : f64} : (tensor<8192x4096xbf16>, tensor<4096xbf16>, tensor<4096xbf16>) -> tensor<8192x4096xbf16>
  return %y : tensor<8192x4096xbf16>
}
