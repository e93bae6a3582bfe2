// RUN: tenon-opt %s --tenon-wait-for-launches=arch=sm_1 -verify-diagnostics
// expected-error @below {{sm_1}}
module {
}
