// A small model with kernels of several kinds, weights and a dynamic dimension.
module attributes {tenon.dim_bounds = {rows = array<i64: 1, 512>}} {
  func.func @main(%ids: tensor<?xi64> {tenon.dims = ["rows"], tenon.name = "ids"})
      -> (tensor<?x24xf32> {tenon.name = "y"}) {
    %table = tenon.weight "table" : tensor<50x32xf32>
    %w = tenon.weight "fc.weight" : tensor<64x32xf32>
    %b = tenon.weight "fc.bias" : tensor<64xf32>
    %v = tenon.weight "proj.weight" : tensor<24x64xf32>
    %x = tenon.embedding %table, %ids : (tensor<50x32xf32>, tensor<?xi64>) -> tensor<?x32xf32>
    %h = tenon.linear %x, %w, %b : (tensor<?x32xf32>, tensor<64x32xf32>, tensor<64xf32>) -> tensor<?x64xf32>
    %g = tenon.gelu %h : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %p = tenon.linear %g, %v : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
    %y = tenon.layer_norm %p {epsilon = 1.0e-5 : f64} : (tensor<?x24xf32>) -> tensor<?x24xf32>
    return %y : tensor<?x24xf32>
  }
}
