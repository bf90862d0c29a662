//! What tests of long runs ask: that a stop changes no bit of what comes out.

use crate::Result;
use crate::checkpoint::{Parts, State};
use crate::run::{Run, RunOptions};

/// Trains twice, two parts each: in one go, and stopped behind the first part and taken up again from its checkpoint by a state that
/// `begin` makes anew.
///
/// # Panics
/// If the two end otherwise, or one of them doesn't.
pub fn changes_no_bit<S: State>(
    example: &str,
    begin: impl Fn() -> S,
    train: impl Fn(&mut S, &mut Run) -> Result<()>,
) {
    let folder = std::env::temp_dir().join(format!("kiln-{example}-stop-{}", std::process::id()));
    let go = |name: &str, stop: Option<usize>, resume: bool| {
        let options = RunOptions { folder: Some(folder.join(name)), own: None, stop, resume };
        let mut state = begin();
        let mut run =
            Run::open(&options, example, ("epoch", 2), String::new(), &mut state).expect("a folder");
        let ended = train(&mut state, &mut run);
        assert_eq!(ended.is_ok(), stop.is_none(), "{ended:?}");
        let mut parts = Parts::default();
        state.store(&mut parts).expect("a sound state");
        parts
    };
    let whole = go("whole", None, false);
    let half = go("parts", Some(1), false);
    assert!(half != whole, "the second part learned nothing");
    assert!(go("parts", None, true) == whole, "a stop changed what came out");
    std::fs::remove_dir_all(&folder).expect("it is there");
}
