func.func @main(%x: tensor<1x128256xbf16>) -> tensor<1xi64> {
  %y = tenon.argmax %x {axis = 1 : i64} : (tensor<1x128256xbf16>) -> tensor<1xi64>
  return %y : tensor<1xi64>
}
