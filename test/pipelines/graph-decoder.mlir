// One layer of Llama as torch.export decomposes it, eager attention with grouped heads: after the phase rotary embedding,
// norms, gate and attention are one op each. The mask hides by a finite number, so that it stays one that is added.
// RUN: tenon-opt %s --tenon-phases=to=graph | FileCheck %s
// VALUES: 1e-10

// CHECK-LABEL: @main
// CHECK: %[[E:.*]] = tenon.embedding
// CHECK: %[[M:.*]] = tenon.select {{.*}} -> tensor<?x1x?x?xf32>
// CHECK: %[[N:.*]] = tenon.rms_norm %[[E]]
// CHECK: %[[Q:.*]] = tenon.linear %[[N]], %{{.*}} : (tensor<?x?x32xf32>, tensor<64x32xf32>)
// CHECK: tenon.split %[[Q]]
// CHECK: tenon.rope {{.*}} : (tensor<?x?x4x8xf32>
// CHECK: tenon.rope {{.*}} : (tensor<?x?x2x8xf32>
// CHECK: tenon.attention {{.*}} mask(%[[M]]) {{.*}} : (tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>
// CHECK: %[[R:.*]] = tenon.add %[[E]]
// CHECK: tenon.rms_norm %[[R]]
// CHECK: %[[U:.*]] = tenon.swiglu
// CHECK: tenon.linear %[[U]]
// CHECK: tenon.rms_norm
// CHECK-NOT: tenon.{{matmul|softmax|sigmoid|rsqrt|neg|concat|expand}}
module attributes {tenon.dim_bounds = {"batch" = array<i64: 1, 33>, "seq" = array<i64: 2, 8>}} {
  func.func @main(%input_ids: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "input_ids"}, %attention_mask: tensor<?x?xi64> {tenon.dims = ["batch", "seq"], tenon.name = "attention_mask"}) -> (tensor<?x?x32xf32> {tenon.name = "last_hidden_state"}) {
    %embed_tokens.weight = tenon.weight "embed_tokens.weight" : tensor<100x32xf32>
    %embedding = tenon.embedding %embed_tokens.weight, %input_ids : (tensor<100x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32>
    %arange.dim = tenon.dim %input_ids {axis = 1 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %arange = tenon.iota %arange.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %add_6.constant = tenon.constant dense<0> : tensor<i64>
    %add_6 = tenon.add %arange, %add_6.constant : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
    %unsqueeze = tenon.reshape %add_6 : (tensor<?xi64>) -> tensor<1x?xi64>
    %_to_copy = tenon.cast %attention_mask : (tensor<?x?xi64>) -> tensor<?x?xi1>
    %arange_1.dim = tenon.dim %input_ids {axis = 0 : i64} : (tensor<?x?xi64>) -> tensor<i64>
    %arange_1 = tenon.iota %arange_1.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %arange_3 = tenon.iota %arange.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %add_18 = tenon.add %arange_3, %add_6.constant : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
    %arange_4 = tenon.iota %arange.dim {axis = 0 : i64, start = 0.0 : f64, step = 1.0 : f64} : (tensor<i64>) -> tensor<?xi64>
    %add_23 = tenon.add %arange_4, %add_6.constant : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
    %unsqueeze_1 = tenon.reshape %arange_1 : (tensor<?xi64>) -> tensor<?x1xi64>
    %unsqueeze_2 = tenon.reshape %unsqueeze_1 : (tensor<?x1xi64>) -> tensor<?x1x1xi64>
    %unsqueeze_3 = tenon.reshape %unsqueeze_2 : (tensor<?x1x1xi64>) -> tensor<?x1x1x1xi64>
    %unsqueeze_7 = tenon.reshape %add_18 : (tensor<?xi64>) -> tensor<1x?xi64>
    %unsqueeze_8 = tenon.reshape %unsqueeze_7 : (tensor<1x?xi64>) -> tensor<1x1x?xi64>
    %unsqueeze_9 = tenon.reshape %unsqueeze_8 : (tensor<1x1x?xi64>) -> tensor<1x1x?x1xi64>
    %unsqueeze_10 = tenon.reshape %add_23 : (tensor<?xi64>) -> tensor<1x?xi64>
    %unsqueeze_11 = tenon.reshape %unsqueeze_10 : (tensor<1x?xi64>) -> tensor<1x1x?xi64>
    %unsqueeze_12 = tenon.reshape %unsqueeze_11 : (tensor<1x1x?xi64>) -> tensor<1x1x1x?xi64>
    %full = tenon.constant dense<true> : tensor<i1>
    %le_2 = tenon.compare %unsqueeze_12, %unsqueeze_9 {predicate = #tenon.compare<le>} : (tensor<1x1x1x?xi64>, tensor<1x1x?x1xi64>) -> tensor<1x1x?x?xi1>
    %bitwise_and = tenon.logical_and %full, %le_2 : (tensor<i1>, tensor<1x1x?x?xi1>) -> tensor<1x1x?x?xi1>
    %index.expand = tenon.expand %unsqueeze_3, %arange_1.dim, %arange.dim : (tensor<?x1x1x1xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
    %index.expand_1 = tenon.expand %unsqueeze_12, %arange_1.dim, %arange.dim : (tensor<1x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?xi64>
    %index.reshape = tenon.reshape %index.expand, %arange_1.dim, %arange.dim : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
    %index.reshape_1 = tenon.reshape %index.expand_1, %arange_1.dim, %arange.dim : (tensor<?x1x1x?xi64>, tensor<i64>, tensor<i64>) -> tensor<?x1x1x?x1xi64>
    %index.concat = tenon.concat %index.reshape, %index.reshape_1 {axis = 4 : i64} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
    %index = tenon.gather_nd %_to_copy, %index.concat : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
    %bitwise_and_1 = tenon.logical_and %bitwise_and, %index : (tensor<1x1x?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
    %full_1 = tenon.constant dense<0.0> : tensor<f32>
    %scalar_tensor = tenon.constant dense<-3.4028234663852886e+38> : tensor<f32>
    %where = tenon.select %bitwise_and_1, %full_1, %scalar_tensor : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>
    %unsqueeze_13 = tenon.reshape %unsqueeze : (tensor<1x?xi64>) -> tensor<1x?x1xi64>
    %_to_copy_1 = tenon.cast %unsqueeze_13 : (tensor<1x?x1xi64>) -> tensor<1x?x1xf32>
    %rotary_emb.inv_freq = tenon.constant dense<"0x0000803FCDCCCC3D0AD7233C6F12833A"> : tensor<4xf32>
    %mul_56 = tenon.mul %_to_copy_1, %rotary_emb.inv_freq : (tensor<1x?x1xf32>, tensor<4xf32>) -> tensor<1x?x4xf32>
    %cat = tenon.concat %mul_56, %mul_56 {axis = 2 : i64} : (tensor<1x?x4xf32>, tensor<1x?x4xf32>) -> tensor<1x?x8xf32>
    %cos = tenon.cos %cat : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
    %mul_66.constant = tenon.constant dense<1.0> : tensor<f32>
    %mul_66 = tenon.mul %cos, %mul_66.constant : (tensor<1x?x8xf32>, tensor<f32>) -> tensor<1x?x8xf32>
    %sin = tenon.sin %cat : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
    %mul_73 = tenon.mul %sin, %mul_66.constant : (tensor<1x?x8xf32>, tensor<f32>) -> tensor<1x?x8xf32>
    %pow_1 = tenon.square %embedding : (tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %mean = tenon.reduce_mean %pow_1 {axes = array<i64: 2>, keep_dims} : (tensor<?x?x32xf32>) -> tensor<?x?x1xf32>
    %add_109.constant = tenon.constant dense<1.0e-06> : tensor<f32>
    %add_109 = tenon.add %mean, %add_109.constant : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
    %rsqrt = tenon.rsqrt %add_109 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
    %mul_86 = tenon.mul %embedding, %rsqrt : (tensor<?x?x32xf32>, tensor<?x?x1xf32>) -> tensor<?x?x32xf32>
    %input_layernorm.weight = tenon.weight "input_layernorm.weight" : tensor<32xf32>
    %mul_90 = tenon.mul %input_layernorm.weight, %mul_86 : (tensor<32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %self_attn.q_proj.weight = tenon.weight "self_attn.q_proj.weight" : tensor<32x32xf32>
    %permute = tenon.transpose %self_attn.q_proj.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %view.mul = tenon.mul %arange_1.dim, %arange.dim : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %view = tenon.reshape %mul_90 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm = tenon.matmul %view, %permute : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %view_1 = tenon.reshape %mm, %arange_1.dim, %arange.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %view_2 = tenon.reshape %view_1, %arange_1.dim, %arange.dim : (tensor<?x?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x4x8xf32>
    %permute_1 = tenon.transpose %view_2 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x8xf32>) -> tensor<?x4x?x8xf32>
    %self_attn.k_proj.weight = tenon.weight "self_attn.k_proj.weight" : tensor<16x32xf32>
    %permute_2 = tenon.transpose %self_attn.k_proj.weight {permutation = array<i64: 1, 0>} : (tensor<16x32xf32>) -> tensor<32x16xf32>
    %view_3 = tenon.reshape %mul_90 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm_1 = tenon.matmul %view_3, %permute_2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
    %view_4 = tenon.reshape %mm_1, %arange_1.dim, %arange.dim : (tensor<?x16xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x16xf32>
    %view_5 = tenon.reshape %view_4, %arange_1.dim, %arange.dim : (tensor<?x?x16xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x8xf32>
    %permute_3 = tenon.transpose %view_5 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x8xf32>) -> tensor<?x2x?x8xf32>
    %self_attn.v_proj.weight = tenon.weight "self_attn.v_proj.weight" : tensor<16x32xf32>
    %permute_4 = tenon.transpose %self_attn.v_proj.weight {permutation = array<i64: 1, 0>} : (tensor<16x32xf32>) -> tensor<32x16xf32>
    %view_6 = tenon.reshape %mul_90 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm_2 = tenon.matmul %view_6, %permute_4 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
    %view_7 = tenon.reshape %mm_2, %arange_1.dim, %arange.dim : (tensor<?x16xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x16xf32>
    %view_8 = tenon.reshape %view_7, %arange_1.dim, %arange.dim : (tensor<?x?x16xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x2x8xf32>
    %permute_5 = tenon.transpose %view_8 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x8xf32>) -> tensor<?x2x?x8xf32>
    %unsqueeze_14 = tenon.reshape %mul_66 : (tensor<1x?x8xf32>) -> tensor<1x1x?x8xf32>
    %unsqueeze_15 = tenon.reshape %mul_73 : (tensor<1x?x8xf32>) -> tensor<1x1x?x8xf32>
    %mul_180 = tenon.mul %permute_1, %unsqueeze_14 : (tensor<?x4x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x4x?x8xf32>
    %slice_1 = tenon.slice %permute_1 {starts = array<i64: 0, 0, 0, 0>, ends = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 4>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x?x4xf32>
    %slice_2 = tenon.slice %permute_1 {starts = array<i64: 0, 0, 0, 4>, ends = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x?x4xf32>
    %neg = tenon.neg %slice_2 : (tensor<?x4x?x4xf32>) -> tensor<?x4x?x4xf32>
    %cat_1 = tenon.concat %neg, %slice_1 {axis = 3 : i64} : (tensor<?x4x?x4xf32>, tensor<?x4x?x4xf32>) -> tensor<?x4x?x8xf32>
    %mul_197 = tenon.mul %cat_1, %unsqueeze_15 : (tensor<?x4x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x4x?x8xf32>
    %add_222 = tenon.add %mul_180, %mul_197 : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
    %mul_205 = tenon.mul %permute_3, %unsqueeze_14 : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
    %slice_3 = tenon.slice %permute_3 {starts = array<i64: 0, 0, 0, 0>, ends = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 4>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x?x4xf32>
    %slice_4 = tenon.slice %permute_3 {starts = array<i64: 0, 0, 0, 4>, ends = array<i64: 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807>, steps = array<i64: 1, 1, 1, 1>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x?x4xf32>
    %neg_1 = tenon.neg %slice_4 : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
    %cat_2 = tenon.concat %neg_1, %slice_3 {axis = 3 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x8xf32>
    %mul_221 = tenon.mul %cat_2, %unsqueeze_15 : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
    %add_258 = tenon.add %mul_205, %mul_221 : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
    %unsqueeze_16 = tenon.reshape %add_258, %arange_1.dim, %arange.dim : (tensor<?x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x2x1x?x8xf32>
    %expand_1 = tenon.expand %unsqueeze_16 : (tensor<?x2x1x?x8xf32>) -> tensor<?x2x2x?x8xf32>
    %view_9 = tenon.reshape %expand_1, %arange_1.dim, %arange.dim : (tensor<?x2x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
    %unsqueeze_17 = tenon.reshape %permute_5, %arange_1.dim, %arange.dim : (tensor<?x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x2x1x?x8xf32>
    %expand_2 = tenon.expand %unsqueeze_17 : (tensor<?x2x1x?x8xf32>) -> tensor<?x2x2x?x8xf32>
    %view_10 = tenon.reshape %expand_2, %arange_1.dim, %arange.dim : (tensor<?x2x2x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
    %permute_6 = tenon.transpose %view_9 {permutation = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x8xf32>) -> tensor<?x4x8x?xf32>
    %view_11.constant = tenon.constant dense<4> : tensor<i64>
    %view_11.mul = tenon.mul %arange_1.dim, %view_11.constant : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %view_11 = tenon.reshape %add_222, %view_11.mul, %arange.dim : (tensor<?x4x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
    %view_12 = tenon.reshape %permute_6, %view_11.mul, %arange.dim : (tensor<?x4x8x?xf32>, tensor<i64>, tensor<i64>) -> tensor<?x8x?xf32>
    %bmm = tenon.matmul %view_11, %view_12 : (tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>
    %view_13 = tenon.reshape %bmm, %arange_1.dim, %arange.dim, %arange.dim : (tensor<?x?x?xf32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x?xf32>
    %mul_392.constant = tenon.constant dense<0.3535533905932738> : tensor<f32>
    %mul_392 = tenon.mul %view_13, %mul_392.constant : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xf32>
    %add_352 = tenon.add %mul_392, %where : (tensor<?x4x?x?xf32>, tensor<?x1x?x?xf32>) -> tensor<?x4x?x?xf32>
    %_softmax = tenon.softmax %add_352 {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
    %view_14 = tenon.reshape %_softmax, %view_11.mul, %arange.dim, %arange.dim : (tensor<?x4x?x?xf32>, tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?x?x?xf32>
    %view_15 = tenon.reshape %view_10, %view_11.mul, %arange.dim : (tensor<?x4x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
    %bmm_1 = tenon.matmul %view_14, %view_15 : (tensor<?x?x?xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
    %view_16 = tenon.reshape %bmm_1, %arange_1.dim, %arange.dim : (tensor<?x?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x4x?x8xf32>
    %permute_7 = tenon.transpose %view_16 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x4x?x8xf32>) -> tensor<?x?x4x8xf32>
    %view_17 = tenon.reshape %permute_7, %arange_1.dim, %arange.dim : (tensor<?x?x4x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %self_attn.o_proj.weight = tenon.weight "self_attn.o_proj.weight" : tensor<32x32xf32>
    %permute_8 = tenon.transpose %self_attn.o_proj.weight {permutation = array<i64: 1, 0>} : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %view_18 = tenon.reshape %view_17 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm_3 = tenon.matmul %view_18, %permute_8 : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
    %view_19 = tenon.reshape %mm_3, %arange_1.dim, %arange.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %add_419 = tenon.add %embedding, %view_19 : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %pow_2 = tenon.square %add_419 : (tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %mean_1 = tenon.reduce_mean %pow_2 {axes = array<i64: 2>, keep_dims} : (tensor<?x?x32xf32>) -> tensor<?x?x1xf32>
    %add_432 = tenon.add %mean_1, %add_109.constant : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
    %rsqrt_1 = tenon.rsqrt %add_432 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
    %mul_507 = tenon.mul %add_419, %rsqrt_1 : (tensor<?x?x32xf32>, tensor<?x?x1xf32>) -> tensor<?x?x32xf32>
    %post_attention_layernorm.weight = tenon.weight "post_attention_layernorm.weight" : tensor<32xf32>
    %mul_511 = tenon.mul %post_attention_layernorm.weight, %mul_507 : (tensor<32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %mlp.gate_proj.weight = tenon.weight "mlp.gate_proj.weight" : tensor<64x32xf32>
    %permute_9 = tenon.transpose %mlp.gate_proj.weight {permutation = array<i64: 1, 0>} : (tensor<64x32xf32>) -> tensor<32x64xf32>
    %view_20 = tenon.reshape %mul_511 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm_4 = tenon.matmul %view_20, %permute_9 : (tensor<?x32xf32>, tensor<32x64xf32>) -> tensor<?x64xf32>
    %view_21 = tenon.reshape %mm_4, %arange_1.dim, %arange.dim : (tensor<?x64xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x64xf32>
    %sigmoid = tenon.sigmoid %view_21 : (tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
    %mul_539 = tenon.mul %view_21, %sigmoid : (tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
    %mlp.up_proj.weight = tenon.weight "mlp.up_proj.weight" : tensor<64x32xf32>
    %permute_10 = tenon.transpose %mlp.up_proj.weight {permutation = array<i64: 1, 0>} : (tensor<64x32xf32>) -> tensor<32x64xf32>
    %view_22 = tenon.reshape %mul_511 : (tensor<?x?x32xf32>) -> tensor<?x32xf32>
    %mm_5 = tenon.matmul %view_22, %permute_10 : (tensor<?x32xf32>, tensor<32x64xf32>) -> tensor<?x64xf32>
    %view_23 = tenon.reshape %mm_5, %arange_1.dim, %arange.dim : (tensor<?x64xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x64xf32>
    %mul_561 = tenon.mul %mul_539, %view_23 : (tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
    %mlp.down_proj.weight = tenon.weight "mlp.down_proj.weight" : tensor<32x64xf32>
    %permute_11 = tenon.transpose %mlp.down_proj.weight {permutation = array<i64: 1, 0>} : (tensor<32x64xf32>) -> tensor<64x32xf32>
    %view_24 = tenon.reshape %mul_561 : (tensor<?x?x64xf32>) -> tensor<?x64xf32>
    %mm_6 = tenon.matmul %view_24, %permute_11 : (tensor<?x64xf32>, tensor<64x32xf32>) -> tensor<?x32xf32>
    %view_25 = tenon.reshape %mm_6, %arange_1.dim, %arange.dim : (tensor<?x32xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x32xf32>
    %add_487 = tenon.add %add_419, %view_25 : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %pow_3 = tenon.square %add_487 : (tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %mean_2 = tenon.reduce_mean %pow_3 {axes = array<i64: 2>, keep_dims} : (tensor<?x?x32xf32>) -> tensor<?x?x1xf32>
    %add_500 = tenon.add %mean_2, %add_109.constant : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
    %rsqrt_2 = tenon.rsqrt %add_500 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
    %mul_601 = tenon.mul %add_487, %rsqrt_2 : (tensor<?x?x32xf32>, tensor<?x?x1xf32>) -> tensor<?x?x32xf32>
    %norm.weight = tenon.weight "norm.weight" : tensor<32xf32>
    %mul_605 = tenon.mul %norm.weight, %mul_601 : (tensor<32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    return %mul_605 : tensor<?x?x32xf32>
  }
}
