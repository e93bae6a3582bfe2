// Copies, dots and the queries' relayout (exchanges) of attention are free of bank conflicts. What is not: f32
// probabilities on their way to the second product, and the path for hidden values that are not numbers (fragments).
// DEFINE: %{type} =
// DEFINE: %{head} =
// DEFINE: %{count} = sed -e 's/TYPE/%{type}/g' -e 's/HEAD/%{head}/g' %s | tenon-opt - --tenon-phases="to=warp gpu=sm_80" \
// DEFINE:   --remarks-filter=tenon-verify-warp --remark-format=emitRemark 2>&1 | grep -o "bank-conflicts.*" | FileCheck %s
// REDEFINE: %{type} = f16
// REDEFINE: %{head} = 32
// RUN: %{count}
// REDEFINE: %{head} = 64
// RUN: %{count}
// REDEFINE: %{head} = 128
// RUN: %{count}
// REDEFINE: %{type} = bf16
// REDEFINE: %{head} = 32
// RUN: %{count}
// REDEFINE: %{head} = 64
// RUN: %{count}
// REDEFINE: %{head} = 128
// RUN: %{count}
// REDEFINE: %{type} = f32
// REDEFINE: %{head} = 32
// RUN: %{count}
// REDEFINE: %{head} = 64
// RUN: %{count}
// REDEFINE: %{head} = 128
// RUN: %{count}
// CHECK: wavefronts of shared memory, {{.*}} more than needed (copies 0, fragments {{[0-9]+}}, dots 0, exchanges 0)
// CHECK-NOT: more than needed

func.func @main(%q: tensor<2x4x512xHEADxTYPE>, %k: tensor<2x4x512xHEADxTYPE>, %v: tensor<2x4x512xHEADxTYPE>) -> tensor<2x4x512xHEADxTYPE> {
  %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x512xHEADxTYPE>, tensor<2x4x512xHEADxTYPE>, tensor<2x4x512xHEADxTYPE>) -> tensor<2x4x512xHEADxTYPE>
  return %0 : tensor<2x4x512xHEADxTYPE>
}
