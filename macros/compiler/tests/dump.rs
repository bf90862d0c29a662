//! `KILN_DUMP=dir` writes what was made of each model, stage by stage.

mod common;

#[test]
fn every_stage_is_written() {
    let folder = std::env::temp_dir().join(format!("kiln-dump-{}", std::process::id()));
    // SAFETY: the only test of this binary, so no other thread reads the environment.
    unsafe { std::env::set_var("KILN_DUMP", &folder) };
    let all = common::chain::expand_all(
        "#[model] fn loss<const N: usize>(x: Tensor<N, 3>) -> Tensor<> { (x.softmax(1) * x).sum() }",
    );
    let model = std::fs::read_dir(&folder).expect("the folder was made").next().expect("a model's folder");
    let model = model.expect("an entry").path();
    let name = model.file_name().expect("a name").to_string_lossy().to_string();
    let mut files: Vec<(String, String)> = std::fs::read_dir(&model)
        .expect("the model's folder")
        .map(|e| e.expect("an entry").path())
        .map(|p| (p.file_name().expect("a name").to_string_lossy().to_string(), p))
        .map(|(name, path)| (name, std::fs::read_to_string(path).expect("a text")))
        .collect();
    files.sort();
    std::fs::remove_dir_all(&folder).expect("the folder just read");
    assert_eq!(common::without_hashes(&name), "loss_HASH");
    // In the order of the stages, and a part of each.
    let stages = [
        ("01-traced.txt", "fn loss<N> {"),
        ("02-differentiated.txt", "// value_and_grad"),
        ("03-laid-out.txt", "fn loss<N> {"),
        ("04-kernels.txt", ": rows [N] of [3]"),
        ("05-plan.txt", "loss: "),
        ("06-memory.txt", "step 0: "),
        ("07-source.rs", "pub const PLAN"),
    ];
    assert_eq!(files.len(), stages.len());
    for ((name, text), (wanted, part)) in files.iter().zip(stages) {
        assert_eq!(name, wanted);
        assert!(text.contains(part), "no {part} in {name}:\n{text}");
    }
    // Cargo builds anew when the variable changes.
    assert!(all.iter().any(|(_, tokens)| tokens.to_string().contains("option_env ! (\"KILN_DUMP\")")));
}
