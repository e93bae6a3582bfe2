func.func @main(%x: tensor<64x512xf32>) -> tensor<64x512xf32> {
  %y = tenon.cumsum %x {axis = 1 : i64} : (tensor<64x512xf32>) -> tensor<64x512xf32>
  return %y : tensor<64x512xf32>
}
