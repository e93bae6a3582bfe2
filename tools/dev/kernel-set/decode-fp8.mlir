func.func @main(%q: tensor<4x32x1x128xf8E4M3FN>, %k: tensor<4x8x8192x128xf8E4M3FN>, %v: tensor<4x8x8192x128xf8E4M3FN>, %qs: tensor<f32>, %ks: tensor<f32>, %vs: tensor<8x1x1xf32>) -> tensor<4x32x1x128xbf16> {
  %y = tenon.attention %q, %k, %v scales(%qs, %ks, %vs) : (tensor<4x32x1x128xf8E4M3FN>, tensor<4x8x8192x128xf8E4M3FN>, tensor<4x8x8192x128xf8E4M3FN>, tensor<f32>, tensor<f32>, tensor<8x1x1xf32>) -> tensor<4x32x1x128xbf16>
  return %y : tensor<4x32x1x128xbf16>
}
