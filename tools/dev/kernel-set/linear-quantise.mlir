func.func @main(%x: tensor<4096x4096xbf16>, %w: tensor<4096x4096xbf16>, %s: tensor<4096x1xf32>) -> tensor<4096x4096xf8E4M3FN> {
  %r = tenon.linear %x, %w : (tensor<4096x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<4096x4096xbf16>
  %q = tenon.quantise %r, %s : (tensor<4096x4096xbf16>, tensor<4096x1xf32>) -> tensor<4096x4096xf8E4M3FN>
  return %q : tensor<4096x4096xf8E4M3FN>
}
