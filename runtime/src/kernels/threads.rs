//! A persistent pool of threads, for loops whose pieces don't depend on each other.
//!
//! One call at a time has the pool; a call from inside another one, or while another thread has the pool, runs
//! inline, so no call ever waits for a thread that waits for it. Workers spin briefly for the next call and then
//! park; a worker that hasn't come when all pieces are taken isn't waited for. The caller takes pieces from the front,
//! every other worker from the back, so that calls one after the other find a piece's data where they left it. A panic in any
//! piece reaches the caller, after every piece that had begun has ended.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// Below this many operations a thread, the hand-over isn't worth it: some 3 µs of FMA, where a hand-over to a thread that
/// spins takes 0.3 µs.
const FLOPS_PER_THREAD: usize = 1 << 19;
/// Pieces a thread, so that a thread that was interrupted doesn't hold up the others.
const PIECES_PER_THREAD: usize = 4;
/// Turns of the waiting loop before a worker parks, and before the caller yields: some 20 µs.
const SPINS: usize = 1 << 11;

/// 0 before the first question.
static THREADS: AtomicUsize = AtomicUsize::new(0);
static POOL: Mutex<Vec<Worker>> = Mutex::new(Vec::new());

thread_local! {
    /// Set while this thread runs a piece: calls inside it run inline.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets how many threads [`parallel`] may use, the calling one included. 0 asks for the number of processors.
pub fn set_threads(n: usize) {
    THREADS.store(if n == 0 { processors() } else { n }, Ordering::Relaxed);
}

/// How many threads [`parallel`] may use: as set, else `KILN_THREADS`, else the number of processors.
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let wanted = std::env::var("KILN_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
            set_threads(wanted);
            THREADS.load(Ordering::Relaxed)
        }
        n => n,
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get())
}

/// How many threads a call of so many items at such a cost would use.
pub fn threads_for(items: usize, cost_per_item_in_flops: usize) -> usize {
    let work = items.saturating_mul(cost_per_item_in_flops);
    if work < 2 * FLOPS_PER_THREAD || INSIDE.get() {
        return 1;
    }
    threads().min(items).min(work / FLOPS_PER_THREAD)
}

/// Calls `f` on ranges that together are `0..items`, each item once, on as many threads as the work deserves.
///
/// Which thread takes which range isn't fixed: `f` must give the same result however the items are grouped.
pub fn parallel(items: usize, cost_per_item_in_flops: usize, f: &(dyn Fn(Range<usize>) + Sync)) {
    if items == 0 {
        return;
    }
    let threads = threads_for(items, cost_per_item_in_flops);
    if threads <= 1 {
        return f(0..items);
    }
    let Some(mut pool) = lock() else { return f(0..items) };
    hire(&mut pool, threads - 1);
    let helpers = (threads - 1).min(pool.len());
    let job = Job {
        // SAFETY: only the lifetime is erased. `job` isn't dropped, nor does this function return, before `pending`
        // is 0, and a worker doesn't touch the job after its decrement.
        f: unsafe {
            std::mem::transmute::<&(dyn Fn(Range<usize>) + Sync), &'static (dyn Fn(Range<usize>) + Sync)>(f)
        },
        items,
        piece: items.div_ceil(threads * PIECES_PER_THREAD),
        taken: AtomicUsize::new(0),
        ends: [const { AtomicUsize::new(0) }; 2],
        pending: AtomicUsize::new(helpers),
        panic: Mutex::new(None),
    };
    let posted = ptr::from_ref(&job).cast_mut();
    for worker in &pool[..helpers] {
        worker.mailbox.store(posted, Ordering::Release);
        worker.thread.unpark();
    }
    job.work(End::Front);
    for worker in &pool[..helpers] {
        // Taken back, it is nobody's: the worker has never seen it.
        let back =
            worker.mailbox.compare_exchange(posted, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
        if back.is_ok() {
            job.pending.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let mut turns = 0;
    while job.pending.load(Ordering::Acquire) != 0 {
        pause(&mut turns, thread::yield_now);
    }
    drop(pool);
    let panic = job.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// The pool, unless another thread has it.
fn lock() -> Option<MutexGuard<'static, Vec<Worker>>> {
    match POOL.try_lock() {
        Ok(pool) => Some(pool),
        Err(std::sync::TryLockError::Poisoned(pool)) => Some(pool.into_inner()),
        Err(std::sync::TryLockError::WouldBlock) => None,
    }
}

/// Starts workers until there are `n`, or as many as the system gives.
fn hire(pool: &mut Vec<Worker>, n: usize) {
    while pool.len() < n {
        let mailbox = Arc::new(AtomicPtr::new(ptr::null_mut()));
        let inbox = Arc::clone(&mailbox);
        let end = if pool.len().is_multiple_of(2) { End::Back } else { End::Front };
        let started =
            thread::Builder::new().name(format!("kiln-{}", pool.len() + 1)).spawn(move || serve(&inbox, end));
        let Ok(handle) = started else { return };
        pool.push(Worker { mailbox, thread: handle.thread().clone() });
    }
}

struct Worker {
    /// The job to do next, or null.
    mailbox: Arc<AtomicPtr<Job>>,
    thread: Thread,
}

/// One call of [`parallel`]; lives on the caller's stack.
struct Job {
    f: &'static (dyn Fn(Range<usize>) + Sync),
    items: usize,
    piece: usize,
    /// Pieces taken, or more.
    taken: AtomicUsize,
    /// How many of them from each end.
    ends: [AtomicUsize; 2],
    /// Workers that may still touch the job.
    pending: AtomicUsize,
    /// The first panic.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Where a thread takes pieces from.
#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}

impl Job {
    fn pieces(&self) -> usize {
        self.items.div_ceil(self.piece)
    }

    /// A piece that no other thread takes: all taken from the front and from the back are no more than there are.
    fn take(&self, end: End) -> Option<Range<usize>> {
        if self.taken.fetch_add(1, Ordering::Relaxed) >= self.pieces() {
            return None;
        }
        let before = self.ends[end as usize].fetch_add(1, Ordering::Relaxed);
        let start = self.piece
            * match end {
                End::Front => before,
                End::Back => self.pieces() - 1 - before,
            };
        Some(start..(start + self.piece).min(self.items))
    }

    /// Takes pieces until none is left. Doesn't unwind.
    fn work(&self, end: End) {
        INSIDE.set(true);
        let done = catch_unwind(AssertUnwindSafe(|| {
            while let Some(piece) = self.take(end) {
                (self.f)(piece);
            }
        }));
        INSIDE.set(false);
        if let Err(payload) = done {
            self.taken.store(self.pieces(), Ordering::Relaxed);
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
        }
    }
}

/// A worker's life.
fn serve(inbox: &AtomicPtr<Job>, end: End) {
    loop {
        let mut turns = 0;
        while inbox.load(Ordering::Relaxed).is_null() {
            pause(&mut turns, thread::park);
        }
        let job = inbox.swap(ptr::null_mut(), Ordering::Acquire);
        if job.is_null() {
            continue;
        }
        // SAFETY: who takes the job out of the mailbox has it: the caller keeps it alive until `pending` is 0, and this
        // worker's decrement is still to come.
        let job = unsafe { &*job };
        job.work(end);
        job.pending.fetch_sub(1, Ordering::Release);
    }
}

/// One turn of a waiting loop: spins at first, then gives the processor away by `rest`.
fn pause(turns: &mut usize, rest: fn()) {
    if *turns < SPINS {
        *turns += 1;
        std::hint::spin_loop();
    } else {
        rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAR: usize = 1 << 24;

    fn count(items: usize, cost: usize) -> Vec<usize> {
        let hits: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
        parallel(items, cost, &|range| {
            for i in range {
                hits[i].fetch_add(1, Ordering::Relaxed);
            }
        });
        hits.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn each_item_runs_once() {
        for cost in [1, DEAR] {
            for items in [0, 1, 2, 3, 7, 64, 1001] {
                assert_eq!(count(items, cost), vec![1; items]);
            }
        }
    }

    #[test]
    fn a_call_inside_a_call_runs_inline() {
        parallel(8, DEAR, &|range| {
            for _ in range {
                assert_eq!(count(5, DEAR), vec![1; 5]);
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_survives() {
        for culprit in 0..16 {
            let caught = catch_unwind(|| {
                parallel(16, DEAR, &|range| assert!(!range.contains(&culprit), "culprit"));
            });
            assert!(caught.is_err());
            assert_eq!(count(16, DEAR), vec![1; 16]);
        }
    }

    #[test]
    fn callers_on_several_threads_dont_wait_for_each_other() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..200).for_each(|_| assert_eq!(count(9, DEAR), vec![1; 9])));
            }
        });
    }
}
