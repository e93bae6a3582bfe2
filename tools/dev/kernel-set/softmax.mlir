func.func @main(%x: tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16> {
  %y = tenon.softmax %x {axis = 1 : i64} : (tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16>
  return %y : tensor<8192x4096xbf16>
}
