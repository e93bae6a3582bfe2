// A model without kernels: a view of its input and a weight.
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 64>}} {
  func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["batch", ""], tenon.name = "x"})
      -> (tensor<?x2x2xf32> {tenon.name = "y"}, tensor<4xf32> {tenon.name = "w"}) {
    %y = tenon.reshape %x : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
    %w = tenon.weight "w" : tensor<4xf32>
    return %y, %w : tensor<?x2x2xf32>, tensor<4xf32>
  }
}
