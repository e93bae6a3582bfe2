func.func @main(%x: tensor<129x65xf16>, %w: tensor<1023x65xf16>) -> tensor<129x1023xf16> {
  %y = tenon.linear %x, %w : (tensor<129x65xf16>, tensor<1023x65xf16>) -> tensor<129x1023xf16>
  return %y : tensor<129x1023xf16>
}
