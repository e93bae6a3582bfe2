// One layer of BERT as torch.export decomposes it, scaled_dot_product_attention included: after the phase it is what its
// author would write, with one product for query, key and value.
// RUN: tenon-opt %s --tenon-phases=to=graph | FileCheck %s
// VALUES: 1e-10

// CHECK-LABEL: @main
// CHECK-SAME: (%[[IDS:.*]]: tensor<?x?xi64> {{.*}}, %[[MASK:.*]]: tensor<?x?xi64> {{.*}}) ->
// CHECK: tenon.iota
// CHECK: tenon.embedding %{{.*}}, %[[IDS]]
// CHECK: tenon.embedding
// CHECK: %[[X:.*]] = tenon.layer_norm
// CHECK: %[[BOOL:.*]] = tenon.cast %[[MASK]]
// CHECK: %[[VISIBLE:.*]] = tenon.reshape %[[BOOL]]{{.*}} -> tensor<?x1x1x?xi1>
// CHECK: %[[W:.*]] = tenon.concat {{.*}} -> tensor<96x32xf32>
// CHECK: %[[B:.*]] = tenon.concat {{.*}} -> tensor<96xf32>
// CHECK: %[[QKV:.*]] = tenon.linear %[[X]], %[[W]], %[[B]] : {{.*}} -> tensor<?x?x96xf32>
// CHECK: %[[PARTS:.*]]:3 = tenon.split %[[QKV]]
// CHECK-NOT: tenon.{{mul|matmul|softmax|select|gather}}
// CHECK: tenon.attention {{.*}} mask(%[[VISIBLE]])
// CHECK: tenon.transpose
// CHECK: %[[J:.*]] = tenon.reshape {{.*}} -> tensor<?x?x32xf32>
// CHECK: %[[O:.*]] = tenon.linear %[[J]]
// CHECK: %[[R:.*]] = tenon.add %[[O]], %[[X]]
// CHECK: %[[N:.*]] = tenon.layer_norm %[[R]]
// CHECK: %[[H:.*]] = tenon.linear %[[N]]
// CHECK: %[[G:.*]] = tenon.gelu %[[H]]
// CHECK: %[[P:.*]] = tenon.linear %[[G]]
// CHECK: %[[S:.*]] = tenon.add %[[P]], %[[N]]
// CHECK: tenon.layer_norm %[[S]]
// CHECK-NOT: tenon.expand
module attributes {tenon.dim_bounds = {"batch" = array<i64: 1, 33>, "seq" = array<i64: 2, 8>}} {
  func.func @main(%input_ids: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "input_ids"}, %attention_mask: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "attention_mask"}) -> (tensor<?x?x32xf32> {tenon.name = "last_hidden_state"}, tensor<?x32xf32> {tenon.name = "pooler_output"}) {
    %embeddings.position_ids = tenon.constant dense<[[0, 1, 2, 3, 4, 5, 6, 7]]> : tensor<1x8xi64>
    %slice_1.dim = tenon.dim %input_ids {axis = 1 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %slice_1 = tenon.slice %embeddings.position_ids, %slice_1.dim {starts = array<i64: 0, 0>, ends = array<i64: 9223372036854775807, -9223372036854775808>, steps = array<i64: 1, 1>} : (tensor<1x8xi64>, tensor<i64>) -> tensor<1x?xi64>
    %expand = tenon.constant dense<0> : tensor<1x8xi64>
    %gather = tenon.gather_elements %expand, %slice_1 {axis = 1 : i64} : (tensor<1x8xi64>, tensor<1x?xi64>) -> tensor<1x?xi64>
    %expand_1.dim = tenon.dim %input_ids {axis = 0 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %expand_1 = tenon.expand %gather, %expand_1.dim, %slice_1.dim : (tensor<1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x?xi64>
    %embeddings.word_embeddings.weight = tenon.weight "embeddings.word_embeddings.weight" : tensor<100x32xf32>
    %embedding = tenon.embedding %embeddings.word_embeddings.weight, %input_ids : (tensor<100x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32>
    %embeddings.token_type_embeddings.weight = tenon.weight "embeddings.token_type_embeddings.weight" : tensor<2x32xf32>
    %embedding_1 = tenon.embedding %embeddings.token_type_embeddings.weight, %expand_1 : (tensor<2x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32>
    %add_14 = tenon.add %embedding, %embedding_1 : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %embeddings.position_embeddings.weight = tenon.weight "embeddings.position_embeddings.weight" : tensor<8x32xf32>
    %embedding_2 = tenon.embedding %embeddings.position_embeddings.weight, %slice_1 : (tensor<8x32xf32>, tensor<1x?xi64>) -> tensor<1x?x32xf32>
    %add_22 = tenon.add %add_14, %embedding_2 : (tensor<?x?x32xf32>, tensor<1x?x32xf32>) -> tensor<?x?x32xf32>
    %embeddings.LayerNorm.weight = tenon.weight "embeddings.LayerNorm.weight" : tensor<32xf32>
    %embeddings.LayerNorm.bias = tenon.weight "embeddings.LayerNorm.bias" : tensor<32xf32>
    %getitem = tenon.layer_norm %add_22 weight(%embeddings.LayerNorm.weight) bias(%embeddings.LayerNorm.bias) {num_dims = 1 : i64, epsilon = 1.0e-12 : f64} : (tensor<?x?x32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<?x?x32xf32>
    %_to_copy = tenon.cast %attention_mask : (tensor<?x?xi64>) -> tensor<?x?xi1>
    %arange = tenon.iota %expand_1.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %arange_2 = tenon.iota %slice_1.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %add_50.constant = tenon.constant dense<0> : tensor<i64>
    %add_50 = tenon.add %arange_2, %add_50.constant : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
    %arange_3 = tenon.iota %slice_1.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %add_55 = tenon.add %arange_3, %add_50.constant : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
    %unsqueeze = tenon.reshape %arange : (tensor<?xi64>) -> tensor<?x1xi64>
    %unsqueeze_1 = tenon.reshape %unsqueeze : (tensor<?x1xi64>) -> tensor<?x1x1xi64>
    %unsqueeze_2 = tenon.reshape %unsqueeze_1 : (tensor<?x1x1xi64>) -> tensor<?x1x1x1xi64>
    %unsqueeze_6 = tenon.reshape %add_50 : (tensor<?xi64>) -> tensor<1x?xi64>
    %unsqueeze_7 = tenon.reshape %unsqueeze_6 : (tensor<1x?xi64>) -> tensor<1x1x?xi64>
    %unsqueeze_8 = tenon.reshape %unsqueeze_7 : (tensor<1x1x?xi64>) -> tensor<1x1x?x1xi64>
    %unsqueeze_9 = tenon.reshape %add_55 : (tensor<?xi64>) -> tensor<1x?xi64>
    %unsqueeze_10 = tenon.reshape %unsqueeze_9 : (tensor<1x?xi64>) -> tensor<1x1x?xi64>
    %unsqueeze_11 = tenon.reshape %unsqueeze_10 : (tensor<1x1x?xi64>) -> tensor<1x1x1x?xi64>
    %full = tenon.constant dense<true> : tensor<i1>
    %ge = tenon.compare %unsqueeze_8, %add_50.constant {predicate = #tenon.compare<ge>} : (tensor<1x1x?x1xi64>, tensor<i64>) -> tensor<1x1x?x1xi1>
    %bitwise_and = tenon.logical_and %full, %ge : (tensor<i1>, tensor<1x1x?x1xi1>) -> tensor<1x1x?x1xi1>
    %index.expand = tenon.expand %unsqueeze_2, %expand_1.dim, %slice_1.dim : (tensor<?x1x1x1xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
    %index.expand_1 = tenon.expand %unsqueeze_11, %expand_1.dim, %slice_1.dim : (tensor<1x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
    %index.reshape = tenon.reshape %index.expand, %expand_1.dim, %slice_1.dim : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
    %index.reshape_1 = tenon.reshape %index.expand_1, %expand_1.dim, %slice_1.dim : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
    %index.concat = tenon.concat %index.reshape, %index.reshape_1 {axis = 4 : i64} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
    %index = tenon.gather_nd %_to_copy, %index.concat : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
    %bitwise_and_1 = tenon.logical_and %bitwise_and, %index : (tensor<1x1x?x1xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
    %view.mul = tenon.mul %expand_1.dim, %slice_1.dim : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %view = tenon.reshape %getitem : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %query.weight = tenon.weight "query.weight" : tensor<32x32xf32>
    %permute = tenon.transpose %query.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %query.bias = tenon.weight "query.bias" : tensor<32xf32>
    %addmm.matmul = tenon.matmul %view, %permute : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %addmm = tenon.add %query.bias, %addmm.matmul : (tensor<32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %view_1 = tenon.reshape %addmm, %expand_1.dim, %slice_1.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %view_2 = tenon.reshape %view_1, %expand_1.dim, %slice_1.dim : (tensor<?x?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4x8xf32>
    %permute_1 = tenon.transpose %view_2 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
    %view_3 = tenon.reshape %getitem : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %key.weight = tenon.weight "key.weight" : tensor<32x32xf32>
    %permute_2 = tenon.transpose %key.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %key.bias = tenon.weight "key.bias" : tensor<32xf32>
    %addmm_1.matmul = tenon.matmul %view_3, %permute_2 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %addmm_1 = tenon.add %key.bias, %addmm_1.matmul : (tensor<32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %view_4 = tenon.reshape %addmm_1, %expand_1.dim, %slice_1.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %view_5 = tenon.reshape %view_4, %expand_1.dim, %slice_1.dim : (tensor<?x?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4x8xf32>
    %permute_3 = tenon.transpose %view_5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
    %view_6 = tenon.reshape %getitem : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %value.weight = tenon.weight "value.weight" : tensor<32x32xf32>
    %permute_4 = tenon.transpose %value.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %value.bias = tenon.weight "value.bias" : tensor<32xf32>
    %addmm_2.matmul = tenon.matmul %view_6, %permute_4 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %addmm_2 = tenon.add %value.bias, %addmm_2.matmul : (tensor<32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %view_7 = tenon.reshape %addmm_2, %expand_1.dim, %slice_1.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %view_8 = tenon.reshape %view_7, %expand_1.dim, %slice_1.dim : (tensor<?x?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4x8xf32>
    %permute_5 = tenon.transpose %view_8 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
    %scalar_tensor = tenon.constant dense<0xFF800000> : tensor<f32>
    %scalar_tensor_1 = tenon.constant dense<0.0> : tensor<f32>
    %where = tenon.select %bitwise_and_1, %scalar_tensor_1, %scalar_tensor : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>
    %mul_124.constant = tenon.constant dense<0.5946035575013605> : tensor<f32>
    %mul_124 = tenon.mul %permute_1, %mul_124.constant : (tensor<?x4x?x8xf32>, tensor<f32>) -> tensor<?x4x?x8xf32>
    %permute_6 = tenon.transpose %permute_3 {permutation = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x8x?xf32>
    %mul_125 = tenon.mul %permute_6, %mul_124.constant : (tensor<?x4x8x?xf32>, tensor<f32>) -> tensor<?x4x8x?xf32>
    %view_9.constant = tenon.constant dense<4> : tensor<i64>
    %view_9.mul = tenon.mul %expand_1.dim, %view_9.constant : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %view_9 = tenon.reshape %mul_124, %view_9.mul, %slice_1.dim : (tensor<?x4x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
    %view_10 = tenon.reshape %mul_125, %view_9.mul, %slice_1.dim : (tensor<?x4x8x?xf32>, tensor<i64>, tensor<i64>) -> tensor<?x8x?xf32>
    %bmm = tenon.matmul %view_9, %view_10 : (tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>
    %view_11 = tenon.reshape %bmm, %expand_1.dim, %slice_1.dim, %slice_1.dim : (tensor<?x?x?xf32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x?xf32>
    %add_169 = tenon.add %view_11, %where : (tensor<?x4x?x?xf32>, tensor<?x1x?x?xf32>) -> tensor<?x4x?x?xf32>
    %_softmax = tenon.softmax %add_169 {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
    %eq_114 = tenon.compare %add_169, %scalar_tensor {predicate = #tenon.compare<eq>} : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xi1>
    %logical_not = tenon.logical_not %eq_114 : (tensor<?x4x?x?xi1>) -> tensor<?x4x?x?xi1>
    %any_1.cast = tenon.cast %logical_not : (tensor<?x4x?x?xi1>) -> tensor<?x4x?x?xi8>
    %any_1.reduce_max = tenon.reduce_max %any_1.cast {axes = array<i64: 3>, keep_dims} : (tensor<?x4x?x?xi8>) -> tensor<?x4x?x1xi8>
    %any_1.constant = tenon.constant dense<0> : tensor<i8>
    %any_1 = tenon.compare %any_1.reduce_max, %any_1.constant {predicate = #tenon.compare<gt>} : (tensor<?x4x?x1xi8>, tensor<i8>) -> tensor<?x4x?x1xi1>
    %logical_not_1 = tenon.logical_not %any_1 : (tensor<?x4x?x1xi1>) -> tensor<?x4x?x1xi1>
    %full_like.constant = tenon.constant dense<0.0> : tensor<f32>
    %full_like = tenon.expand %full_like.constant, %expand_1.dim, %slice_1.dim, %slice_1.dim : (tensor<f32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x?xf32>
    %where_1 = tenon.select %logical_not_1, %full_like, %_softmax : (tensor<?x4x?x1xi1>, tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
    %view_12 = tenon.reshape %where_1, %view_9.mul, %slice_1.dim, %slice_1.dim : (tensor<?x4x?x?xf32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x?x?xf32>
    %view_13 = tenon.reshape %permute_5, %view_9.mul, %slice_1.dim : (tensor<?x4x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
    %bmm_1 = tenon.matmul %view_12, %view_13 : (tensor<?x?x?xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
    %view_14 = tenon.reshape %bmm_1, %expand_1.dim, %slice_1.dim : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
    %permute_7 = tenon.transpose %view_14 {permutation = array<i64: 2, 0, 1, 3>} : (tensor<?x4x?x8xf32>) -> tensor<?x?x4x8xf32>
    %permute_8 = tenon.transpose %permute_7 {permutation = array<i64: 1, 2, 0, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
    %permute_9 = tenon.transpose %permute_8 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x4x?x8xf32>) -> tensor<?x?x4x8xf32>
    %view_16 = tenon.reshape %permute_9, %expand_1.dim, %slice_1.dim : (tensor<?x?x4x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %attention.output.dense.weight = tenon.weight "attention.output.dense.weight" : tensor<32x32xf32>
    %permute_10 = tenon.transpose %attention.output.dense.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %expand_8 = tenon.expand %permute_10, %expand_1.dim : (tensor<32x32xf32>, tensor<i64>) -> tensor<?x32x32xf32>
    %bmm_2 = tenon.matmul %view_16, %expand_8 : (tensor<?x?x32xf32>, tensor<?x32x32xf32>) -> tensor<?x?x32xf32>
    %attention.output.dense.bias = tenon.weight "attention.output.dense.bias" : tensor<32xf32>
    %add_210 = tenon.add %bmm_2, %attention.output.dense.bias : (tensor<?x?x32xf32>, tensor<32xf32>) -> tensor<?x?x32xf32>
    %add_219 = tenon.add %add_210, %getitem : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %attention.output.LayerNorm.weight = tenon.weight "attention.output.LayerNorm.weight" : tensor<32xf32>
    %attention.output.LayerNorm.bias = tenon.weight "attention.output.LayerNorm.bias" : tensor<32xf32>
    %getitem_3 = tenon.layer_norm %add_219 weight(%attention.output.LayerNorm.weight) bias(%attention.output.LayerNorm.bias) {num_dims = 1 : i64, epsilon = 1.0e-12 : f64} : (tensor<?x?x32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<?x?x32xf32>
    %view_20 = tenon.reshape %getitem_3 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %intermediate.dense.weight = tenon.weight "intermediate.dense.weight" : tensor<64x32xf32>
    %permute_11 = tenon.transpose %intermediate.dense.weight {permutation = array<i64: 1, 0>} : (tensor<64x32xf32>) -> tensor<32x64xf32>
    %intermediate.dense.bias = tenon.weight "intermediate.dense.bias" : tensor<64xf32>
    %addmm_3.matmul = tenon.matmul %view_20, %permute_11 : (tensor<?x32xf32>, tensor<32x64xf32>) -> tensor<?x64xf32>
    %addmm_3 = tenon.add %intermediate.dense.bias, %addmm_3.matmul : (tensor<64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
    %view_21 = tenon.reshape %addmm_3, %expand_1.dim, %slice_1.dim : (tensor<?x64xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x64xf32>
    %gelu = tenon.gelu %view_21 : (tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
    %view_22 = tenon.reshape %gelu : (tensor<?x?x64xf32>) -> tensor<?x64xf32>
    %output.dense.weight = tenon.weight "output.dense.weight" : tensor<32x64xf32>
    %permute_12 = tenon.transpose %output.dense.weight {permutation = array<i64: 1, 0>} : (tensor<32x64xf32>) -> tensor<64x32xf32>
    %output.dense.bias = tenon.weight "output.dense.bias" : tensor<32xf32>
    %addmm_4.matmul = tenon.matmul %view_22, %permute_12 : (tensor<?x64xf32>, tensor<64x32xf32>) -> tensor<?x32xf32>
    %addmm_4 = tenon.add %output.dense.bias, %addmm_4.matmul : (tensor<32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %view_23 = tenon.reshape %addmm_4, %expand_1.dim, %slice_1.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %add_264 = tenon.add %view_23, %getitem_3 : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %output.LayerNorm.weight = tenon.weight "output.LayerNorm.weight" : tensor<32xf32>
    %output.LayerNorm.bias = tenon.weight "output.LayerNorm.bias" : tensor<32xf32>
    %getitem_6 = tenon.layer_norm %add_264 weight(%output.LayerNorm.weight) bias(%output.LayerNorm.bias) {num_dims = 1 : i64, epsilon = 1.0e-12 : f64} : (tensor<?x?x32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<?x?x32xf32>
    %select.slice = tenon.slice %getitem_6 {starts = array<i64: 0, 0, 0>, ends = array<i64: 9223372036854775807, 1, 9223372036854775807>, steps = array<i64: 1, 1, 1>} : (tensor<?x?x32xf32>) -> tensor<?x1x32xf32>
    %select = tenon.reshape %select.slice : (tensor<?x1x32xf32>) -> tensor<?x32xf32>
    %pooler.dense.weight = tenon.weight "pooler.dense.weight" : tensor<32x32xf32>
    %permute_13 = tenon.transpose %pooler.dense.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %pooler.dense.bias = tenon.weight "pooler.dense.bias" : tensor<32xf32>
    %addmm_5.matmul = tenon.matmul %select, %permute_13 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %addmm_5 = tenon.add %pooler.dense.bias, %addmm_5.matmul : (tensor<32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %tanh = tenon.tanh %addmm_5 : (tensor<?x32xf32>) -> tensor<?x32xf32>
    return %getitem_6, %tanh : tensor<?x?x32xf32>, tensor<?x32xf32>
  }
}
