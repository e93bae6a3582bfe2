func.func @main(%q: tensor<16x32x1x128xbf16>, %k: tensor<16x8x8192x128xbf16>, %v: tensor<16x8x8192x128xbf16>) -> tensor<16x32x1x128xbf16> {
  %y = tenon.attention %q, %k, %v : (tensor<16x32x1x128xbf16>, tensor<16x8x8192x128xbf16>, tensor<16x8x8192x128xbf16>) -> tensor<16x32x1x128xbf16>
  return %y : tensor<16x32x1x128xbf16>
}
