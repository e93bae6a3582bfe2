module attributes {tenon.dim_bounds = {rows = array<i64: 1, 512>}} {
  func.func @main(%x: tensor<?x384xf32> {tenon.dims = ["rows", ""], tenon.name = "x"})
      -> (tensor<?x1536xf32> {tenon.name = "y"}) {
    %w = tenon.weight "fc.weight" : tensor<1536x384xf32>
    %b = tenon.weight "fc.bias" : tensor<1536xf32>
    %h = tenon.linear %x, %w, %b : (tensor<?x384xf32>, tensor<1536x384xf32>, tensor<1536xf32>) -> tensor<?x1536xf32>
    %y = tenon.gelu %h : (tensor<?x1536xf32>) -> tensor<?x1536xf32>
    return %y : tensor<?x1536xf32>
  }
}
