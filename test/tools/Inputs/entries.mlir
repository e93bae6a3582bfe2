// Two ways into one model: any number of rows, and one; both pack the same weight.
module {
  module @prefill attributes {tenon.dim_bounds = {count = array<i64: 2, 64>}} {
    func.func @main(%x: tensor<?x32xf32> {tenon.dims = ["count", ""], tenon.name = "x"}) -> (tensor<?x48xf32> {tenon.name = "y"}) {
      %w = tenon.weight "w" : tensor<48x32xf32>
      %y = tenon.linear %x, %w : (tensor<?x32xf32>, tensor<48x32xf32>) -> tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
  }
  module @decode {
    func.func @main(%x: tensor<1x32xf32> {tenon.name = "x"}) -> (tensor<1x48xf32> {tenon.name = "y"}) {
      %w = tenon.weight "w" : tensor<48x32xf32>
      %y = tenon.linear %x, %w : (tensor<1x32xf32>, tensor<48x32xf32>) -> tensor<1x48xf32>
      return %y : tensor<1x48xf32>
    }
  }
}
