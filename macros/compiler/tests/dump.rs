//! `KILN_DUMP=dir` writes what was made of each model.

mod common;

#[test]
fn source_graph_and_plan_are_written() {
    let folder = std::env::temp_dir().join(format!("kiln-dump-{}", std::process::id()));
    // SAFETY: the only test of this binary, so no other thread reads the environment.
    unsafe { std::env::set_var("KILN_DUMP", &folder) };
    common::chain::expand_all("#[model] fn loss<const N: usize>(x: Tensor<N>) -> Tensor<> { (x * x).sum() }");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder was made")
        .map(|e| common::without_hashes(&e.expect("an entry").file_name().to_string_lossy()))
        .collect();
    names.sort();
    let texts: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder was made")
        .map(|e| std::fs::read_to_string(e.expect("an entry").path()).expect("a text"))
        .collect();
    std::fs::remove_dir_all(&folder).expect("the folder just read");
    assert_eq!(names, ["loss_HASH.graph.txt", "loss_HASH.plan.txt", "loss_HASH.rs"]);
    for part in ["fn loss<N> {", "// value_and_grad", "pub const PLAN"] {
        assert!(texts.iter().any(|text| text.contains(part)), "no {part}");
    }
}
