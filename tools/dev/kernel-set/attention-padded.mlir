// The shape of BERT: short, a mask of keys, dynamic sizes.
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 64>, length = array<i64: 1, 512>}} {
  func.func @main(%q: tensor<?x12x?x64xf16> {tenon.dims = ["batch", "", "length", ""]},
                  %k: tensor<?x12x?x64xf16> {tenon.dims = ["batch", "", "length", ""]},
                  %v: tensor<?x12x?x64xf16> {tenon.dims = ["batch", "", "length", ""]},
                  %m: tensor<?x1x1x?xi1> {tenon.dims = ["batch", "", "", "length"]}) -> tensor<?x12x?x64xf16> {
    %y = tenon.attention %q, %k, %v mask(%m) : (tensor<?x12x?x64xf16>, tensor<?x12x?x64xf16>, tensor<?x12x?x64xf16>, tensor<?x1x1x?xi1>) -> tensor<?x12x?x64xf16>
    return %y : tensor<?x12x?x64xf16>
  }
}
