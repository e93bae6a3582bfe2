func.func @main(%x: tensor<4096x4096xf8E4M3FN>, %xs: tensor<f32>, %w: tensor<4096x4096xf8E4M3FN>, %ws: tensor<f32>) -> tensor<4096x4096xbf16> {
  %y = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) : (tensor<4096x4096xf8E4M3FN>, tensor<f32>, tensor<4096x4096xf8E4M3FN>, tensor<f32>) -> tensor<4096x4096xbf16>
  return %y : tensor<4096x4096xbf16>
}
