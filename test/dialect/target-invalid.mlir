// Each constraint of #xfmr.target (dialect/Attributes.td), broken once.
// RUN: xfmr-opt --split-input-file --verify-diagnostics --allow-unregistered-dialect %s

// C1
// expected-error @below {{binding_bytes must be positive, got -65536}}
"t"() {t = #xfmr.target<vulkan, binding_bytes = -65536, push_words = 16, grid = 65535, alignment = 256>} : () -> ()

// -----

// C1
// expected-error @below {{grid must be positive, got 0}}
"t"() {t = #xfmr.target<vulkan, binding_bytes = 65536, push_words = 16, grid = 0, alignment = 256>} : () -> ()

// -----

// C1
// expected-error @below {{binding_bytes must be at least 65536, got 4096}}
"t"() {t = #xfmr.target<vulkan, binding_bytes = 4096, push_words = 16, grid = 65535, alignment = 256>} : () -> ()

// -----

// C2
// expected-error @below {{alignment must be a power of two of 4 or more bytes, got 24}}
"t"() {t = #xfmr.target<vulkan, binding_bytes = 65536, push_words = 16, grid = 65535, alignment = 24>} : () -> ()

// -----

// C2
// expected-error @below {{alignment must be a power of two of 4 or more bytes, got 0}}
"t"() {t = #xfmr.target<cpu, levels = [v3]>} : () -> ()

// -----

// C3
// expected-error @below {{vulkan needs binding_bytes, push_words and grid, and has no levels}}
"t"() {t = #xfmr.target<vulkan, alignment = 256>} : () -> ()

// -----

// C3
// expected-error @below {{vulkan needs binding_bytes, push_words and grid, and has no levels}}
"t"() {t = #xfmr.target<vulkan, binding_bytes = 65536, push_words = 16, grid = 65535, alignment = 256, levels = [v3]>} : () -> ()

// -----

// C4
// expected-error @below {{cpu needs levels in ascending order, and no limits}}
"t"() {t = #xfmr.target<cpu, alignment = 64>} : () -> ()

// -----

// C4
// expected-error @below {{cpu needs levels in ascending order, and no limits}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v4, v3]>} : () -> ()

// -----

// C4
// expected-error @below {{cpu needs levels in ascending order, and no limits}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v3, v3]>} : () -> ()

// -----

// C4
// expected-error @below {{cpu needs levels in ascending order, and no limits}}
"t"() {t = #xfmr.target<cpu, grid = 65535, alignment = 64, levels = [v3]>} : () -> ()

// -----

// C5
// expected-error @below {{levels must be of one architecture, got v2 and neon}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v2, neon]>} : () -> ()

// -----

// C5
// expected-error @below {{levels must be of one architecture, got v4_amx and neon_dot}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v4_amx, neon, neon_dot]>} : () -> ()

// -----

// syntax
// expected-error @below {{expected vulkan or cpu, got metal}}
"t"() {t = #xfmr.target<metal, alignment = 64>} : () -> ()

// -----

// syntax
// expected-error @below {{expected binding_bytes, push_words, grid, alignment or levels, got threads}}
"t"() {t = #xfmr.target<cpu, threads = 8, alignment = 64, levels = [v3]>} : () -> ()

// -----

// syntax
// expected-error @below {{expected v2, v3, v4, v4_dot, v4_amx, neon or neon_dot, got v5}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v3, v5]>} : () -> ()

// -----

// syntax
// expected-error @below {{grid is given twice}}
"t"() {t = #xfmr.target<vulkan, grid = 1, grid = 2, alignment = 64>} : () -> ()

// -----

// syntax
// expected-error @below {{levels is given twice}}
"t"() {t = #xfmr.target<cpu, alignment = 64, levels = [v3], levels = [v4]>} : () -> ()
