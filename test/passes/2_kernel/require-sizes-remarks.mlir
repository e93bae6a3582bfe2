// Where sizes are not known nothing is asked, and that is said.
// RUN: tenon-opt %s --tenon-require-sizes --remarks-filter=tenon-require-sizes --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// CHECK: sizes of @main are not known: argument 0 of @main is {{.*}}, its attribute `tenon.dims` must be an array of 1 strings
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
