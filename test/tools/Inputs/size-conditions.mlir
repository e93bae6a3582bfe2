// Ops that ask something of sizes which names do not say: a = b, room in a cache of 8, a row where there is an index.
func.func @main(%x: tensor<?xf32> {tenon.dims = ["a"]}, %y: tensor<?xf32> {tenon.dims = ["b"]},
                %cache: tensor<1x2x8x4xf32>, %new: tensor<1x2x?x4xf32> {tenon.dims = ["", "", "s", ""]},
                %position: tensor<i64>, %table: tensor<?x4xf32> {tenon.dims = ["rows", ""]},
                %indices: tensor<?xi64> {tenon.dims = ["n"]})
    -> (tensor<?xf32>, tensor<1x2x8x4xf32>, tensor<?x4xf32>) {
  %0 = tenon.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %1 = tenon.kv_cache_append %cache, %new, %position : (tensor<1x2x8x4xf32>, tensor<1x2x?x4xf32>, tensor<i64>) -> tensor<1x2x8x4xf32>
  %2 = tenon.embedding %table, %indices : (tensor<?x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<1x2x8x4xf32>, tensor<?x4xf32>
}
