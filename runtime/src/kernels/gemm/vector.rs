//! The micro-kernels of all processors with vectors: what an instruction set's intrinsics are put into.
//!
//! `R` rows by `V` vectors of sums; each step of k loads `V` vectors of B and broadcasts `R` elements of A. Who uses the macros has
//! functions `soon` and `next`, which bring near what is read later.

/// Rows of B that are brought near ahead of those that are packed: far from each other, they are no stream that the processor sees.
pub(super) const FILL_AHEAD: isize = 8;

/// The kernels of an instruction set: names, features, element and the operations.
macro_rules! kernel {
    ($name:ident, $fill:ident, $sums:ident, $dots:ident, $cross:ident, $features:literal, $t:ty, $lanes:literal, $zero:ident, $set:ident, $load:ident, $store:ident,
     $add:ident, $fma:ident) => {
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize, const V: usize>(call: Call<$t>) {
            // SAFETY: what the caller promises is what is asked; nothing is filled.
            unsafe { $sums::<R, V, false>(call, std::ptr::null_mut()) }
        }

        #[target_feature(enable = $features)]
        unsafe fn $fill<const R: usize, const V: usize>(call: Call<$t>, to: *mut $t) {
            // SAFETY: what the caller promises is what is asked.
            unsafe { $sums::<R, V, true>(call, to) }
        }

        #[target_feature(enable = $features)]
        #[inline]
        unsafe fn $sums<const R: usize, const V: usize, const FILL: bool>(call: Call<$t>, mut to: *mut $t) {
            let mut sums = [[$zero(); V]; R];
            let (mut a, mut b, mut ahead) = (call.a, call.b, call.ahead);
            for _ in 0..call.k {
                // Few rows do nothing but load: one more each step would cost more than it brings.
                if R > 2 && !FILL {
                    soon(ahead);
                    ahead = ahead.wrapping_add(LINE / size_of::<$t>());
                }
                let mut line = [$zero(); V];
                for (v, line) in line.iter_mut().enumerate() {
                    // SAFETY: the caller lets `V` vectors of each of the `k` rows of B be read.
                    *line = unsafe { $load(b.add(v * $lanes)) };
                    if FILL {
                        let later = b.wrapping_offset(FILL_AHEAD * call.b_stride).wrapping_add(v * $lanes);
                        next(later);
                        // SAFETY: the caller lets `V` vectors be written for each row of B.
                        unsafe { $store(to.add(v * $lanes), *line) };
                    }
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller lets `a[i, p]` be read for each `i < R` and `p < k`.
                    let a = $set(unsafe { *a.offset(i as isize * call.a_strides.0) });
                    for (sum, b) in sums.iter_mut().zip(line) {
                        *sum = $fma(a, b, *sum);
                    }
                }
                a = a.wrapping_offset(call.a_strides.1);
                b = b.wrapping_offset(call.b_stride);
                to = to.wrapping_add(V * $lanes);
            }
            for (i, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    // SAFETY: the caller gives `V` vectors of sums a row, initialized if `add`, to this call alone.
                    unsafe {
                        let c = call.c.add(i * call.c_stride + v * $lanes);
                        $store(c, if call.add { $add(*sum, $load(c)) } else { *sum });
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        unsafe fn $cross(
            len: usize,
            at: &[[isize; 2]],
            a: [*const $t; CROSS[0]],
            b: [*const $t; CROSS[1]],
        ) -> [[$t; CROSS[1]]; CROSS[0]] {
            let mut sums = [[$zero(); CROSS[1]]; CROSS[0]];
            for [in_a, in_b] in at {
                for p in (0..len as isize).step_by($lanes) {
                    // SAFETY: `p + lanes <= len`, and the caller lets `len` elements be read at each from the line on.
                    let line = b.map(|b| unsafe { $load(b.offset(in_b + p)) });
                    for (a, sums) in a.iter().zip(&mut sums) {
                        // SAFETY: likewise.
                        let a = unsafe { $load(a.offset(in_a + p)) };
                        for (sum, b) in sums.iter_mut().zip(line) {
                            *sum = $fma(a, b, *sum);
                        }
                    }
                }
            }
            sums.map(|sums| {
                sums.map(|sum| {
                    let mut lanes = [0.0; $lanes];
                    // SAFETY: as many elements as a vector has.
                    unsafe { $store(lanes.as_mut_ptr(), sum) };
                    total(lanes)
                })
            })
        }

        dots!($dots, $features, $t, $t, $lanes, $zero, $load, $load, $store, $add, $fma);
    };
}

/// Dot products with lines of some element, which `line` loads a vector of.
macro_rules! dots {
    ($dots:ident, $features:literal, $t:ty, $of:ty, $lanes:literal, $zero:ident, $load:ident, $line:ident, $store:ident,
     $add:ident, $fma:ident) => {
        #[target_feature(enable = $features)]
        unsafe fn $dots(k: usize, a: *const $t, lines: [*const $of; DOTS]) -> [$t; DOTS] {
            // Two vectors of sums a line: enough to hide what an addition takes, and all in registers.
            let mut sums = [[$zero(); 2]; DOTS];
            let whole = k - k % (2 * $lanes);
            for p in (0..whole).step_by(2 * $lanes) {
                // SAFETY: `p + 2 * lanes <= k`, and the caller lets `k` elements be read at `a` and at each line.
                unsafe {
                    let x = [$load(a.add(p)), $load(a.add(p + $lanes))];
                    for (sums, line) in sums.iter_mut().zip(lines) {
                        sums[0] = $fma(x[0], $line(line.add(p)), sums[0]);
                        sums[1] = $fma(x[1], $line(line.add(p + $lanes)), sums[1]);
                    }
                }
            }
            let mut dots = [0.0; DOTS];
            for (c, dot) in dots.iter_mut().enumerate() {
                let mut lanes = [0.0; $lanes];
                // SAFETY: as many elements as a vector has.
                unsafe { $store(lanes.as_mut_ptr(), $add(sums[c][0], sums[c][1])) };
                *dot = total(lanes);
                for p in whole..k {
                    // SAFETY: `p < k`.
                    *dot += unsafe { *a.add(p) * Reads::<$t>::read(*lines[c].add(p)) };
                }
            }
            dots
        }
    };
}
pub(super) use {dots, kernel};
