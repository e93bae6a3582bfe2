func.func @main(%x: tensor<4096x128256xbf16>) -> tensor<4096xf32> {
  %w = tenon.cast %x : (tensor<4096x128256xbf16>) -> tensor<4096x128256xf32>
  %y = tenon.reduce_sum %w {axes = array<i64: 1>} : (tensor<4096x128256xf32>) -> tensor<4096xf32>
  return %y : tensor<4096xf32>
}
