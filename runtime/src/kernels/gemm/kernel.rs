//! A micro-kernel: the sums of one tile over one range of k, held in registers.
//!
//! One function a number of rows and of vectors, so that edges need neither padding of A nor masks.

use super::stored::Reads;
use crate::half::{bf16, f16};
use crate::kernels::isa::Isa;
use crate::kernels::math::Real;
use std::cell::{Cell, RefCell};
use std::ops::{Add, AddAssign, Mul};
use std::thread::LocalKey;

/// Rows of the tallest tile.
pub(super) const ROWS: usize = 6;
/// Vectors of the widest tile.
pub(super) const VECTORS: usize = 4;

/// What one call computes: `c[i, ..] (+)= Σ_p a[i, p] b[p, ..]`.
#[derive(Clone, Copy)]
pub(super) struct Call<T> {
    /// Terms of the sums.
    pub k: usize,
    /// Element `(0, 0)` of the strip of A.
    pub a: *const T,
    /// Strides of A by row and by k.
    pub a_strides: (isize, isize),
    /// The first row of the panel of B.
    pub b: *const T,
    /// From one row of B to the next.
    pub b_stride: isize,
    /// The first row of the sums.
    pub c: *mut T,
    /// From one row of sums to the next.
    pub c_stride: usize,
    /// Whether the sums continue those in `c`.
    pub add: bool,
    /// What is read soon: a cache line each step of k is brought near. Any address will do.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
    pub ahead: *const T,
}

/// # Safety
/// The processor has the kernel's features. For the kernel's `rows` and `width`, every `i < rows`, `p < k`: `a[i, p]`
/// and `width` elements at `b[p]` may be read, `width` elements at `c[i]` written, and, if `add`, read.
pub(super) type Kernel<T> = unsafe fn(Call<T>);

/// A [`Kernel`] of a full tile that packs on the way: each row of B it reads it leaves at `to`, row after row.
///
/// # Safety
/// As [`Kernel`], and as many elements as are read of B may be written at `to`.
pub(super) type Fill<T> = unsafe fn(call: Call<T>, to: *mut T);

/// Dot products at a time.
pub(super) const DOTS: usize = 4;

/// The dot products of `k` elements at `a` with those of several lines.
///
/// # Safety
/// The processor has the kernel's features, and `k` elements may be read at `a` and at each line.
pub(super) type Dots<T, S = T> = unsafe fn(k: usize, a: *const T, lines: [*const S; DOTS]) -> [T; DOTS];

/// Rows and columns whose dot products are summed at a time.
pub(super) const CROSS: [usize; 2] = [4, 6];

/// The dot products of rows with columns over some lines of `len` elements, a whole number of vectors; `at` is where a line
/// begins in a row and in a column.
///
/// # Safety
/// The processor has the kernel's features, and `len` elements may be read at each row and column from each line on.
pub(super) type Cross<T> = unsafe fn(
    len: usize,
    at: &[[isize; 2]],
    a: [*const T; CROSS[0]],
    b: [*const T; CROSS[1]],
) -> [[T; CROSS[1]]; CROSS[0]];

/// The kernels of an instruction set for an element type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels<T: 'static> {
    /// Rows of a full tile, at most [`ROWS`].
    pub rows: usize,
    /// Elements of a vector.
    pub lanes: usize,
    /// Vectors of a full tile, at most [`VECTORS`].
    pub vectors: usize,
    /// By rows - 1 and vectors - 1; what more vectors than a full tile has would be isn't read.
    pub table: &'static [[Kernel<T>; VECTORS]; ROWS],
    /// The full tile's that packs.
    pub fill: Option<Fill<T>>,
    /// Dot products, for products of few rows.
    pub dots: Dots<T>,
    /// Dot products of rows with columns.
    pub cross: Cross<T>,
    /// The same as `dots` with lines of bf16, and of f16.
    pub narrow_dots: (Dots<T, bf16>, Dots<T, f16>),
}

impl<T: Scalar> Kernels<T> {
    /// The kernels for the instruction set, which the processor must have.
    pub fn of(isa: Isa) -> Self {
        assert!(isa == Isa::detect() || isa.supported(), "gemm: this processor lacks {isa:?}");
        T::kernels(isa)
    }

    /// Columns of a full tile.
    pub fn cols(&self) -> usize {
        self.lanes * self.vectors
    }

    /// The columns that a tile of `cols` columns computes: whole vectors.
    pub fn width(&self, cols: usize) -> usize {
        cols.next_multiple_of(self.lanes)
    }
}

/// Rows and columns that are exchanged at a time.
pub(super) const SIDE: usize = 4;

/// What the driver needs of an element type. Sealed, as this module is private.
pub trait Scalar:
    Real + Copy + Default + Send + Sync + 'static + Add<Output = Self> + Mul<Output = Self> + AddAssign
{
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn kernels(isa: Isa) -> Kernels<Self>;
    /// Rows and columns exchanged.
    #[doc(hidden)]
    fn turn(block: [[Self; SIDE]; SIDE]) -> [[Self; SIDE]; SIDE];
    /// A number of f32.
    #[doc(hidden)]
    fn wide(x: f32) -> Self;
    /// This thread's spare buffer of each use, as `pack` numbers them.
    #[doc(hidden)]
    fn spare(usage: usize) -> &'static LocalKey<Cell<Vec<Self>>>;
    /// This thread's buffers for operands that are packed for several products, those that aren't in use.
    #[doc(hidden)]
    fn held() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

macro_rules! scalar {
    ($t:ident, $turn:ident) => {
        impl Scalar for $t {
            #[allow(private_interfaces)]
            fn kernels(isa: Isa) -> Kernels<Self> {
                #[cfg(target_arch = "x86_64")]
                match isa {
                    Isa::Avx512 => return super::x86::$t::AVX512,
                    Isa::Avx2 => return super::x86::$t::AVX2,
                    Isa::Portable | Isa::Neon => {}
                }
                #[cfg(target_arch = "aarch64")]
                if isa == Isa::Neon {
                    return super::neon::$t::NEON;
                }
                let _ = isa;
                Kernels {
                    rows: 4,
                    lanes: 8,
                    vectors: 1,
                    table: &table!(portable, $t, 8),
                    fill: None,
                    dots: portable_dots::<$t, $t>,
                    cross: portable_cross::<$t>,
                    narrow_dots: (portable_dots::<$t, bf16>, portable_dots::<$t, f16>),
                }
            }

            #[inline(always)]
            fn turn(block: [[$t; SIDE]; SIDE]) -> [[$t; SIDE]; SIDE] {
                $turn(block)
            }

            #[inline(always)]
            fn wide(x: f32) -> Self {
                x.into()
            }

            fn spare(usage: usize) -> &'static LocalKey<Cell<Vec<Self>>> {
                thread_local! {
                    static B: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static A: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static SUMS: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static TURNED: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static TOTALS: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static LINE: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static PATCHES: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static FACTORS: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static POINTS: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                    static STRIPS: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                }
                [&B, &A, &SUMS, &TURNED, &TOTALS, &LINE, &PATCHES, &FACTORS, &POINTS, &STRIPS][usage]
            }

            fn held() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
                thread_local!(static HELD: RefCell<Vec<Vec<$t>>> = const { RefCell::new(Vec::new()) });
                &HELD
            }
        }
    };
}

/// A kernel's instances by rows and vectors.
macro_rules! table {
    ($kernel:ident, vectors $($vectors:literal)*) => {
        table!(@rows vector_row, ($kernel, $($vectors)*))
    };
    ($kernel:ident, $t:ty, $lanes:literal) => {
        table!(@rows portable_row, ($kernel, $t, $lanes))
    };
    (@rows $row:ident, $of:tt) => {
        [
            table!(@$row 1, $of),
            table!(@$row 2, $of),
            table!(@$row 3, $of),
            table!(@$row 4, $of),
            table!(@$row 5, $of),
            table!(@$row 6, $of),
        ]
    };
    (@portable_row $r:literal, ($kernel:ident, $t:ty, $lanes:literal)) => {
        [$kernel::<$t, $r, $lanes>; VECTORS]
    };
    (@vector_row $r:literal, ($kernel:ident, $($vectors:literal)*)) => {
        [$($kernel::<$r, $vectors>),*]
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use table;

scalar!(f32, turn_f32);
scalar!(f64, turn);

/// Element by element.
#[inline(always)]
fn turn<T: Copy>(block: [[T; SIDE]; SIDE]) -> [[T; SIDE]; SIDE] {
    std::array::from_fn(|i| block.map(|row| row[i]))
}

/// By vectors that each processor of the target has, which LLVM doesn't find by itself.
#[inline(always)]
fn turn_f32(block: [[f32; SIDE]; SIDE]) -> [[f32; SIDE]; SIDE] {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instructions are those of the target's every processor, and vector and array have the same bytes.
    unsafe {
        use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps};
        let row = |i: usize| _mm_loadu_ps(block[i].as_ptr());
        let [mut a, mut b, mut c, mut d] = [row(0), row(1), row(2), row(3)];
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        std::mem::transmute([a, b, c, d])
    }
    #[cfg(not(target_arch = "x86_64"))]
    turn(block)
}

/// The kernel of one vector of `LANES` elements in plain Rust.
///
/// # Safety
/// As [`Kernel`].
unsafe fn portable<T: Scalar, const R: usize, const LANES: usize>(call: Call<T>) {
    let mut sums = [[T::default(); LANES]; R];
    for p in 0..call.k as isize {
        // SAFETY: the caller lets a row of B of `LANES` elements be read, at any alignment of `T`.
        let b = unsafe { call.b.offset(p * call.b_stride).cast::<[T; LANES]>().read() };
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `i < R` and `p < k`.
            let a = unsafe { *call.a.offset(i as isize * call.a_strides.0 + p * call.a_strides.1) };
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    for (i, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller gives `LANES` elements of sums a row, initialized if `add`, to this call alone.
        unsafe {
            let c = call.c.add(i * call.c_stride).cast::<[T; LANES]>();
            if call.add {
                sums.iter_mut().zip(*c).for_each(|(sum, c)| *sum += c);
            }
            c.write(*sums);
        }
    }
}

/// The dot products of several lines, in plain Rust.
///
/// # Safety
/// As [`Dots`].
pub(super) unsafe fn portable_dots<T: Scalar, S: Reads<T>>(
    k: usize,
    a: *const T,
    lines: [*const S; DOTS],
) -> [T; DOTS] {
    lines.map(|line| {
        // SAFETY: the caller lets `k` elements be read at both.
        let (a, line) = unsafe { (std::slice::from_raw_parts(a, k), std::slice::from_raw_parts(line, k)) };
        let mut lanes = [T::default(); 8];
        for (a, b) in a.chunks(8).zip(line.chunks(8)) {
            lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += *a * b.read());
        }
        total(lanes)
    })
}

/// The dot products of rows with columns, in plain Rust.
///
/// # Safety
/// As [`Cross`].
unsafe fn portable_cross<T: Scalar>(
    len: usize,
    at: &[[isize; 2]],
    a: [*const T; CROSS[0]],
    b: [*const T; CROSS[1]],
) -> [[T; CROSS[1]]; CROSS[0]] {
    let mut sums = [[[T::default(); 8]; CROSS[1]]; CROSS[0]];
    for [in_a, in_b] in at {
        for p in (0..len as isize).step_by(8) {
            for (a, sums) in a.iter().zip(&mut sums) {
                for (b, sums) in b.iter().zip(sums) {
                    // SAFETY: `len` elements, whole eights, may be read at both from the line on.
                    let [a, b] = unsafe {
                        [a.offset(in_a + p), b.offset(in_b + p)].map(|x| x.cast::<[T; 8]>().read())
                    };
                    sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += *a * b);
                }
            }
        }
    }
    sums.map(|sums| sums.map(total))
}

/// The sum of partial sums, halving them: their number is a power of 2.
#[inline(always)]
pub(super) fn total<T: Scalar, const N: usize>(mut lanes: [T; N]) -> T {
    let mut half = N / 2;
    while half > 0 {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l] += other;
        }
        half /= 2;
    }
    lanes[0]
}
