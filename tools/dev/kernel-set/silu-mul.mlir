func.func @main(%a: tensor<8192x4096xbf16>, %b: tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16> {
  %s = tenon.silu %a : (tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16>
  %y = tenon.mul %s, %b : (tensor<8192x4096xbf16>, tensor<8192x4096xbf16>) -> tensor<8192x4096xbf16>
  return %y : tensor<8192x4096xbf16>
}
