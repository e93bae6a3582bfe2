// What is no layout, no atom, no schedule, no type.
// RUN: tenon-opt %s -verify-diagnostics -split-input-file

// expected-error @below {{'x4' is no digit; a digit is r, l or w and a size, as in l8*4}}
func.func private @f() attributes {a = #warp.layout<[r2, x4]>}

// -----

// expected-error @below {{'r0' is no digit}}
func.func private @f() attributes {a = #warp.layout<[r0]>}

// -----

// expected-error @below {{'l' is no digit}}
func.func private @f() attributes {a = #warp.layout<[l]>}

// -----

// expected-error @below {{'w2x' is no digit}}
func.func private @f() attributes {a = #warp.layout<[w2x]>}

// -----

// expected-error @below {{'r4' has a stride; only lanes and warps have one}}
func.func private @f() attributes {a = #warp.layout<[r4*2]>}

// -----

// expected-error @below {{a digit has stride 0, expected at least 1}}
func.func private @f() attributes {a = #warp.layout<[l4*0]>}

// -----

// Both digits are the lane's lowest bits.
// expected-error @below {{digits read the same part of the lane's number}}
func.func private @f() attributes {a = #warp.layout<[l8], [l4]>}

// -----

// lane / 4 mod 4 is a part of lane mod 8.
// expected-error @below {{digits read the same part of the lane's number}}
func.func private @f() attributes {a = #warp.layout<[l8], [l4*4]>}

// -----

// lane / 4 mod 2 is not a function of lane / 3 and lane mod 3 apart.
// expected-error @below {{digits read the same part of the lane's number}}
func.func private @f() attributes {a = #warp.layout<[l3], [l2*4]>}

// -----

// expected-error @below {{digits read the same part of the warp's number}}
func.func private @f() attributes {a = #warp.layout<[w2], [w2]>}

// -----

// expected-error @below {{digits count to more than 32 lanes}}
func.func private @f() attributes {a = #warp.layout<[l8*8]>}

// -----

// expected-error @below {{digits count to more than 32 warps}}
func.func private @f() attributes {a = #warp.layout<[w9223372036854775807*2]>}

// -----

// expected-error @below {{digits count to more than 65536 registers}}
func.func private @f() attributes {a = #warp.layout<[r256], [r257]>}

// -----

// expected-error @below {{mma.sync of 16 x 8 x 4, expected 16 x 8 x 8, 16 or 32}}
func.func private @f() attributes {a = #warp.mma_sync<m = 16, n = 8, k = 4>}

// -----

// expected-error @below {{a program has 8 x 5 warps, expected 1 to 32}}
func.func private @f() attributes {a = #warp.schedule<warps = [8, 5], stages = 1, tf32 = false>}

// -----

// expected-error @below {{wgmma has 2 x 2 warps, expected a multiple of 4 along the rows, 1 along the columns}}
func.func private @f() attributes {a = #warp.schedule<warps = [2, 2], stages = 1, tf32 = false, wgmma = true>}

// -----

// expected-error @below {{rings have 0 slots, expected at least 1}}
func.func private @f() attributes {a = #warp.schedule<warps = [1, 1], stages = 0, tf32 = false>}

// -----

// expected-error @below {{a tile in shared memory has two dimensions of floats or integers}}
func.func private @f(!warp.smem<16xf16, 32>)

// -----

// expected-error @below {{a tile in shared memory has two dimensions of floats or integers}}
func.func private @f(!warp.smem<16x16xindex, 32>)

// -----

// expected-error @below {{the swizzle spans 48 bytes, expected 16, 32, 64 or 128}}
func.func private @f(!warp.smem<16x24xf16, 48>)

// -----

// expected-error @below {{rows of 48 bytes are no multiple of the swizzle's span, 32}}
func.func private @f(!warp.smem<16x24xf16, 32>)

// -----

// expected-error @below {{a ring of 0 slots of 1 tiles, expected at least 1 of each}}
func.func private @f(!warp.ring<0, !warp.smem<16x16xf16, 32>>)

// -----

// expected-error @below {{what is streamed comes through 4 slots of its own, expected none, or with a producer and without teams a positive number}}
tile.kernel @f() attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, early = 4>} {
  tile.grid () = () {
  }
}

// -----

// expected-error @below {{a multiprocessor has 2 CTAs at a time, expected 1, or with a producer and without teams a positive number}}
tile.kernel @f() attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, resident = 2>} {
  tile.grid () = () {
  }
}
