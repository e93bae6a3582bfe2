func.func @main(%q: tensor<1x2x5x32xf8E4M3FN>, %k: tensor<1x2x7x32xf8E4M3FN>, %v: tensor<1x2x7x32xf8E4M3FN>,
    %a: tensor<f32> {tenon.name = "query_scale"}, %b: tensor<f32> {tenon.name = "key_scale"},
    %c: tensor<f32> {tenon.name = "value_scale"}) -> (tensor<1x2x5x32xbf16> {tenon.name = "y"}) {
  %y = tenon.attention %q, %k, %v scales(%a, %b, %c) : (tensor<1x2x5x32xf8E4M3FN>, tensor<1x2x7x32xf8E4M3FN>, tensor<1x2x7x32xf8E4M3FN>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<1x2x5x32xbf16>
  return %y : tensor<1x2x5x32xbf16>
}
