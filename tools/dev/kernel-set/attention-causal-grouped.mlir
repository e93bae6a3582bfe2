func.func @main(%q: tensor<2x32x4096x128xbf16>, %k: tensor<2x8x4096x128xbf16>, %v: tensor<2x8x4096x128xbf16>) -> tensor<2x32x4096x128xbf16> {
  %y = tenon.attention %q, %k, %v {causal} : (tensor<2x32x4096x128xbf16>, tensor<2x8x4096x128xbf16>, tensor<2x8x4096x128xbf16>) -> tensor<2x32x4096x128xbf16>
  return %y : tensor<2x32x4096x128xbf16>
}
