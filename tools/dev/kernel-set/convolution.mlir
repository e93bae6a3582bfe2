// On the general path: a thread an element.
func.func @main(%x: tensor<8x3x224x224xbf16>, %w: tensor<768x3x16x16xbf16>, %b: tensor<768xbf16>) -> tensor<8x768x14x14xbf16> {
  %y = tenon.convolution %x, %w, %b {stride = array<i64: 16, 16>, padding = array<i64: 0, 0>, dilation = array<i64: 1, 1>} : (tensor<8x3x224x224xbf16>, tensor<768x3x16x16xbf16>, tensor<768xbf16>) -> tensor<8x768x14x14xbf16>
  return %y : tensor<8x768x14x14xbf16>
}
