// A model with the signature of a sentence-transformer: the mean of its tokens' rows, as far as the mask lets them count.
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 8>, seq = array<i64: 1, 16>}} {
  func.func @main(%ids: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "input_ids"},
                  %mask: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "attention_mask"})
      -> (tensor<?x6xf32> {tenon.name = "embedding"}) {
    %table = tenon.weight "table" : tensor<10x6xf32>
    %x = tenon.embedding %table, %ids : (tensor<10x6xf32>, tensor<?x?xi64>) -> tensor<?x?x6xf32>
    %m = tenon.cast %mask : (tensor<?x?xi64>) -> tensor<?x?xf32>
    %batch = tenon.dim %ids {axis = 0 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %seq = tenon.dim %ids {axis = 1 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %m3 = tenon.reshape %m, %batch, %seq : (tensor<?x?xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x1xf32>
    %counted = tenon.mul %x, %m3 : (tensor<?x?x6xf32>, tensor<?x?x1xf32>) -> tensor<?x?x6xf32>
    %sum = tenon.reduce_sum %counted {axes = array<i64: 1>} : (tensor<?x?x6xf32>) -> tensor<?x6xf32>
    %count = tenon.reduce_sum %m3 {axes = array<i64: 1>} : (tensor<?x?x1xf32>) -> tensor<?x1xf32>
    %mean = tenon.div %sum, %count : (tensor<?x6xf32>, tensor<?x1xf32>) -> tensor<?x6xf32>
    return %mean : tensor<?x6xf32>
  }
}
