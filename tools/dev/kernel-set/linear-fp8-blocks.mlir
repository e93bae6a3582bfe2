func.func @main(%x: tensor<4096x4096xf8E4M3FN>, %xs: tensor<4096x32xf32>, %w: tensor<4096x4096xf8E4M3FN>, %ws: tensor<32x32xf32>) -> tensor<4096x4096xbf16> {
  %y = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {block = array<i64: 128, 128>} : (tensor<4096x4096xf8E4M3FN>, tensor<4096x32xf32>, tensor<4096x4096xf8E4M3FN>, tensor<32x32xf32>) -> tensor<4096x4096xbf16>
  return %y : tensor<4096x4096xbf16>
}
