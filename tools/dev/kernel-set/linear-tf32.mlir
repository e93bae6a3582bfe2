// with: --tf32
func.func @main(%x: tensor<128x512xf32>, %w: tensor<256x512xf32>) -> tensor<128x256xf32> {
  %y = tenon.linear %x, %w : (tensor<128x512xf32>, tensor<256x512xf32>) -> tensor<128x256xf32>
  return %y : tensor<128x256xf32>
}
