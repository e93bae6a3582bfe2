// Many queries over keys in pages of half a tile, by TMA.
func.func @main(%q: tensor<2x8x512x128xbf16>, %k: tensor<40x2x64x128xbf16>, %v: tensor<40x2x64x128xbf16>, %n: tensor<2xi32>, %t: tensor<2x20xi32>) -> tensor<2x8x512x128xbf16> {
  %y = tenon.attention %q, %k, %v key_lengths(%n) block_table(%t) : (tensor<2x8x512x128xbf16>, tensor<40x2x64x128xbf16>, tensor<40x2x64x128xbf16>, tensor<2xi32>, tensor<2x20xi32>) -> tensor<2x8x512x128xbf16>
  return %y : tensor<2x8x512x128xbf16>
}
