// A step: new keys go into pages, and one query a head goes through them.
func.func @main(%q: tensor<16x32x1x128xbf16>, %new: tensor<16x8x1x128xbf16>, %k: tensor<2048x8x16x128xbf16>, %v: tensor<2048x8x16x128xbf16>, %p: tensor<16xi32>, %n: tensor<16xi32>, %t: tensor<16x128xi32>) -> (tensor<16x32x1x128xbf16>, tensor<2048x8x16x128xbf16>) {
  %keys = tenon.kv_pages_append %k, %new, %p, %t : (tensor<2048x8x16x128xbf16>, tensor<16x8x1x128xbf16>, tensor<16xi32>, tensor<16x128xi32>) -> tensor<2048x8x16x128xbf16>
  %y = tenon.attention %q, %keys, %v key_lengths(%n) block_table(%t) : (tensor<16x32x1x128xbf16>, tensor<2048x8x16x128xbf16>, tensor<2048x8x16x128xbf16>, tensor<16xi32>, tensor<16x128xi32>) -> tensor<16x32x1x128xbf16>
  return %y, %keys : tensor<16x32x1x128xbf16>, tensor<2048x8x16x128xbf16>
}
