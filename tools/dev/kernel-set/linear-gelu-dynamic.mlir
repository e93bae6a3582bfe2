module attributes {tenon.dim_bounds = {rows = array<i64: 1, 4096>}} {
  func.func @main(%x: tensor<?x768xf16> {tenon.dims = ["rows", ""]}, %w: tensor<3072x768xf16>, %b: tensor<3072xf16>) -> tensor<?x3072xf16> {
    %h = tenon.linear %x, %w, %b : (tensor<?x768xf16>, tensor<3072x768xf16>, tensor<3072xf16>) -> tensor<?x3072xf16>
    %y = tenon.gelu %h : (tensor<?x3072xf16>) -> tensor<?x3072xf16>
    return %y : tensor<?x3072xf16>
  }
}
