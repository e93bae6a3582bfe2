func.func @main(%x: tensor<4096x4096xi8>, %xs: tensor<4096x1xf32>, %w: tensor<4096x4096xi8>, %ws: tensor<4096x1xf32>) -> tensor<4096x4096xbf16> {
  %y = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) : (tensor<4096x4096xi8>, tensor<4096x1xf32>, tensor<4096x4096xi8>, tensor<4096x1xf32>) -> tensor<4096x4096xbf16>
  return %y : tensor<4096x4096xbf16>
}
