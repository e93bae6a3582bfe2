// What the importer makes of a step of a server in 64 tokens of 4 sequences: keys go into pages, and each query sees 512 of
// those up to its own place.
func.func @main(%q: tensor<4x32x64x128xbf16>, %k: tensor<4x8x64x128xbf16>, %v: tensor<4x8x64x128xbf16>, %keys: tensor<129x8x16x128xbf16>,
                %values: tensor<129x8x16x128xbf16>, %position: tensor<4xi32>, %lengths: tensor<4xi32>, %table: tensor<4x32xi32>)
    -> (tensor<129x8x16x128xbf16>, tensor<129x8x16x128xbf16>, tensor<4x32x64x128xbf16>) {
  %0 = tenon.kv_pages_append %keys, %k, %position, %table : (tensor<129x8x16x128xbf16>, tensor<4x8x64x128xbf16>, tensor<4xi32>, tensor<4x32xi32>) -> tensor<129x8x16x128xbf16>
  %1 = tenon.kv_pages_append %values, %v, %position, %table : (tensor<129x8x16x128xbf16>, tensor<4x8x64x128xbf16>, tensor<4xi32>, tensor<4x32xi32>) -> tensor<129x8x16x128xbf16>
  %new = tenon.constant dense<64> : tensor<i64>
  %window = tenon.constant dense<512> : tensor<i64>
  %first = tenon.cast %position : (tensor<4xi32>) -> tensor<4xi64>
  %given = tenon.cast %lengths : (tensor<4xi32>) -> tensor<4xi64>
  %last = tenon.add %first, %new : (tensor<4xi64>, tensor<i64>) -> tensor<4xi64>
  %n = tenon.min %given, %last : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %column = tenon.reshape %first : (tensor<4xi64>) -> tensor<4x1x1x1xi64>
  %i = tenon.iota {axis = 0 : i64} : () -> tensor<64x1xi64>
  %place = tenon.add %column, %i : (tensor<4x1x1x1xi64>, tensor<64x1xi64>) -> tensor<4x1x64x1xi64>
  %j = tenon.iota {axis = 0 : i64} : () -> tensor<512xi64>
  %before = tenon.sub %place, %window : (tensor<4x1x64x1xi64>, tensor<i64>) -> tensor<4x1x64x1xi64>
  %inside = tenon.compare %j, %before {predicate = #tenon.compare<gt>} : (tensor<512xi64>, tensor<4x1x64x1xi64>) -> tensor<4x1x64x512xi1>
  %seen = tenon.compare %j, %place {predicate = #tenon.compare<le>} : (tensor<512xi64>, tensor<4x1x64x1xi64>) -> tensor<4x1x64x512xi1>
  %m = tenon.logical_and %inside, %seen : (tensor<4x1x64x512xi1>, tensor<4x1x64x512xi1>) -> tensor<4x1x64x512xi1>
  %r = tenon.attention %q, %0, %1 mask(%m) key_lengths(%n) block_table(%table)
      : (tensor<4x32x64x128xbf16>, tensor<129x8x16x128xbf16>, tensor<129x8x16x128xbf16>, tensor<4x1x64x512xi1>, tensor<4xi64>, tensor<4x32xi32>) -> tensor<4x32x64x128xbf16>
  return %0, %1, %r : tensor<129x8x16x128xbf16>, tensor<129x8x16x128xbf16>, tensor<4x32x64x128xbf16>
}
