func.func @main(%x: tensor<64x96x32xf32>) -> tensor<64x32x96xf32> {
  %y = tenon.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<64x96x32xf32>) -> tensor<64x32x96xf32>
  return %y : tensor<64x32x96xf32>
}
