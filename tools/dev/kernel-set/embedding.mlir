func.func @main(%t: tensor<30522x384xf16>, %i: tensor<8x128xi64>) -> tensor<8x128x384xf16> {
  %y = tenon.embedding %t, %i : (tensor<30522x384xf16>, tensor<8x128xi64>) -> tensor<8x128x384xf16>
  return %y : tensor<8x128x384xf16>
}
