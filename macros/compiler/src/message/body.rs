//! Bodies: names, calls, results, state, gradients, and what can't be compiled.

use super::{hint, list, nearest_hint};

/// Why `while` and `loop` can't be.
pub(crate) const WHILE: &str = "a loop is `for` over a range or an array";
/// Why patterns that may not fit can't be.
pub(crate) const REFUTABLE: &str =
    "choose by `if` on what is known while compiling, or by `where_cond(mask, a, b)` element by element";
/// Why `unsafe` can't be.
pub(crate) const UNSAFE: &str = "a model computes tensors, which needs none of it";
/// Why `async` can't be.
pub(crate) const ASYNC: &str = "a model computes tensors and waits for nothing";
/// Why `?` can't be.
pub(crate) const TRY: &str = "what is called in a model gives its tensors, not a `Result`; remove it";
/// Why a struct can't be made.
pub(crate) const STRUCT: &str =
    "params are made by `init` and passed as `&`; inside a model use tensors, tuples and arrays";
/// Why anything else can't be.
pub(crate) const OTHER: &str =
    "a body is `let`, operators, methods, calls of models, `if` on what is known, and `for`";

messages! {
    /// Something of Rust that has no place in a graph.
    cant(what, why) = "{what} can't be compiled: {why}";
    prints(name, model) = "`{name}!` can't be compiled, because a model runs as a graph: \
        call `{model}::eager` to look at values, there it prints";
    vec() = "`vec!` can't be compiled: write an array, `[a, b]`";
    macros(name) = "`{name}!` can't be compiled: a model is made of tensors; move it to where the model is called";
    item(what) = "{what} inside a model can't be compiled: put it beside the model";
    literal() = "this literal can't be used in a model: write a number, `true`, `false` or a string";
    number_too_large() = "this number is too large";
    // Names.
    recursion(name) = "`{name}` calls itself: a model can't, because its graph would have no end; \
        use `for` over an array of layers";
    is_method(name) = "`{name}` is a method: write `x.{name}(…)`";
    is_function(name) = "`{name}` is a function: write `{name}(x, …)`";
    struct_called(name) = "`{name}` is a params struct, and no value: take it as an argument, `net: &{name}`";
    function_as_value(name) = "`{name}` can only be called";
    hidden(name, what) = "`{name}` is {what} here, which can't be called";
    above_bound(model, free, bound, size) = "`{model}` is bounded, `{free} <= {bound}`, and `{free}` is {size} here";
    bound_it(size, bound) = "bound it, too: `#[model({size} <= {bound})]`";
    not_callable(what) = "{what} can't be called";
    untraceable(name) = "`{name}` is a plain function, which Kiln can't trace: write `#[model(inline)]` above it";
    no_params(name, what) = "`{name}` is {what}, not a params struct: name a struct with `#[params]`";
    not_params(name) = "`{name}` isn't known as params: put `#[params]` on the struct";
    optimizer_of(name) = "an optimizer is of a params struct: `{name}<Net>`";
    array_length() = "the length of an array must be a number that is known while compiling";
    // Calls.
    transform_of(name, what) = "`{name}` takes a model or a closure, not {what}";
    transform_arity(name) = "`{name}` takes one model or closure, and gives a function: `{name}(loss)(net, x, y)`";
    size_unknown(name, free) = "`{free}` of `{name}` isn't known from these arguments";
    wants_mut(name, param, text) = "`{name}` changes `{param}`: pass `&mut {text}`";
    argument_immutable(name, param, text) = "`{name}` changes `{param}`, and `{text}` can't be changed here: \
        take it by `&mut`";
    outside_of_closure(text) = "`{text}` is outside of a closure of `cond`, `while_loop` or `custom_vjp`, so it can't be changed in it: \
        return the new value instead";
    tree_outside_of_closure(text) = "`{text}` is outside of a closure of `cond`, `while_loop` or `custom_vjp`, so it can't be changed in \
        it: change it before";
    closure_changes(name) = "`{name}` is outside of this closure, which is a graph of its own: it can change tensors and state there, \
        no lists or numbers";
    closure_result(got) = "a closure that is differentiated returns tensors, not {got}";
    step_arguments() = "`step` takes the params and their gradients: `opt.step(net, grads)`";
    step_immutable(text) = "`step` changes `{text}` and the optimizer's moments: take both by `&mut`";
    turbofish() = "no types are written here; an element type is `.to::<f64>()`";
    inside(name, fault) = "in `{name}`: {fault}";
    no_forward(name) = "`{name}` has no `forward`: name a model in `#[params(forward = …)]`";
    forward_of_tensor() = "a tensor has no `forward`: the layer comes first, `net.fc1.forward(x)`";
    eager_method(name) = "`{name}` is for eager tensors: in a model use `value_and_grad(f)(…)` or `grad(f)(…)`";
    no_numbers(name) = "`{name}` would give numbers, which a model has only when it runs: return the tensor";
    method_of_size(got, name) = "{got} is no tensor, so it has no `{name}`: write `as f32` first";
    // Fields and indices.
    index_out(at, len) = "index {at} is out of an array of {len}";
    index_unknown(at) = "an index must be known while compiling, and `{at}` isn't";
    index_kind(got) = "an index is a whole number, not {got}";
    index_tensor() = "a tensor has no `[…]`: write `x.select(dim, i)` or `x.narrow(dim, start, len)`";
    index_of(got) = "{got} has no elements";
    tuple_field(i, len) = "a tuple of {len} has no `.{i}`";
    size_of(n, ty) = "{ty} has no dim {n}";
    // Operators.
    operator_unknown() = "this operator can't be used here: there are `+`, `-`, `*`, `/` and unary `-`";
    operator_kinds(left, right) = "this operator can't combine {left} and {right}";
    comparison(method) = "tensors are compared element by element: write `a.{method}(b)`, a tensor of bools";
    logic(method) = "tensors of bools are combined element by element: write `a.{method}(b)`";
    size_as_operand(text) = "`{text}` is a whole number that only a call knows: write `{text} as f32`";
    constant_as_operand(text) = "`{text}` is taken for a size, which only rustc knows: write `{text} as f32`; \
        the number of a `const` of floats must stand in a file that Kiln can see";
    tree_as_operand(text, got, field) = "`{text}` is {got}: operators work on its tensors, `{text}.{field}`";
    operand(got) = "an operand is a tensor or a number, not {got}";
    unary(got) = "this operator can't be used on {got}";
    division_by_zero() = "division by zero";
    division_unknown(x, y) = "`{x}` by `{y}` leaves a rest that isn't known while compiling";
    comparison_unknown(because) = "this isn't known while compiling: {because}";
    rustc_knows(name) = "only rustc knows `{name}`, whose number doesn't stand in a file that Kiln can see: write the number";
    turn_knows(name) = "`{name}` is another number in each turn of the loop, which is compiled once";
    call_knows(name) = "`{name}` is read from the arguments";
    // Casts.
    cast_type() = "`as` goes to `f32`, `f64` or a whole number's type";
    cast_tensor(name) = "a tensor is cast by a method: `.to({name})`";
    cast_kind(got) = "`as` works on numbers, not on {got}";
    // Control flow.
    if_tensor() = "`if` can't look at a tensor, whose value is known only when the model runs: \
        write `where_cond(mask, a, b)`";
    match_tensor() = "`match` can't look at a tensor, whose value is known only when the model runs: \
        write `where_cond(mask, a, b)`";
    match_pattern() = "a pattern of `match` is a number, `true`, `false`, a variant without fields, a name, `_`, or a \
        tuple, range or choice (`A | B`) of these";
    bare_variant(name) = "write the enum's name before `{name}`: what is imported may have another name there";
    match_kind(got) = "this pattern can't be compared with {got}";
    no_arm(got) = "no arm of this `match` fits {got}: add one, or `_ => …`";
    by_reference(ty) = "; params are passed by reference: `&{ty}`";
    variant_in_capitals() = "; a name in capitals is taken for a constant where its enum isn't seen in a file of this crate: \
        give the variant a name like `Relu`";
    float_literal() = "; a float has a point: `1.0`";
    known_here() = "; it must be known while compiling";
    if_let() = "`if let` can't be compiled: `if` takes a `bool` that is known while compiling";
    if_kind(got) = "`if` takes a `bool` that is known while compiling, not {got}";
    range_open() = "a range needs an end: `0..12`";
    range_long() = "a loop of that many turns can't be unrolled";
    range_kind(got) = "a bound of a range is a whole number, not {got}";
    turn_unlike(why) = "the turns of this loop aren't alike, and how many there are isn't known while compiling: {why}";
    turn_variable(name) = "`{name}` changes from turn to turn, but is no tensor";
    turn_type(name, was, now) = "`{name}` is {was} before a turn and {now} after it";
    turn_jump() = "a `break`, `continue` or `return` stands in it";
    turn_push(name) = "more than one value, or none that is a tensor, is pushed to `{name}`";
    range_unknown(because) = "the number of turns isn't known while compiling: {because}";
    for_tensor() = "`for` can't go over a tensor: work on all rows at once, or over `x.split(1, dim)`";
    for_kind(got) = "`for` goes over a range or an array, not over {got}";
    iterator_arguments(name, got) = "`{name}` can't take {got} here";
    // Patterns.
    pattern() = "a pattern is a name, a tuple or an array of names";
    pattern_kind(what, got) = "this {what} pattern can't take {got} apart";
    let_without_value() = "give it a value here";
    let_kind(got) = "the type says a tensor, and this is {got}";
    let_type(want, got) = "declared as {want}, but the value is {got}";
    // State.
    no_state(text) = "`{text}` can't be assigned to: state is what comes in by `&mut`, or a `let mut`";
    not_mut(text) = "`{text}` can't be changed: declare it with `mut`";
    state_immutable(text, root) = "`{text}` can't be changed: take `{root}` by `&mut`";
    star(text) = "`{text}` is a reference: write `*{text} = …`";
    state_type(text, want, got) = "`{text}` is {want}, and this is {got}";
    state_kind(want, got) = "{want} can't become {got}";
    // Results.
    result_differs(name, want, got) = "`{name}` is declared to return {want}, but this is {got}";
    result_kind(name, got) = "`{name}` is declared to return a tensor, but this is {got}";
    any_shape_of(dtype) = "a tensor of {dtype}";
    result_params(name, want, got) = "`{name}` is declared to return a `{want}`, but this is {got}";
    result_no_argument(name, got) = "`{name}` returns {got} that fits none of its arguments: params that are returned have the type of \
        an argument, and tensors of the same shapes";
    result_unwanted(name, got) = "`{name}` is declared to return nothing, but this is {got}: declare it, or end with `;`";
    result_nothing(name) = "`{name}` is declared to return a tensor, but its body ends without a value: \
        the last expression has no `;`";
    // Gradients.
    gradient_of_integers(name, got) = "`{name}` is {got}: only floats have a gradient";
    gradient_of_no_scalar(how, name, got) = "`{how}` needs a float scalar, and `{name}` returns {got}: \
        reduce it with `.sum()` or `.mean()`, or use `vjp`";
    gradient_of_nothing(how, name, got) = "`{how}` finds nothing to differentiate by among the arguments of `{name}`: \
        {got}; only floats have a gradient";
    custom_arity() = "`custom_vjp` takes a function and the rule for its gradient: `custom_vjp(f, rule)(x)`, \
        where `rule(x, value, cotangent)` gives the cotangent of `x`";
    tree_map_of(got) = "`tree_map(f)` takes params of one type, such as a net and its gradient, not {got}";
    tree_map_result(got) = "the function of `tree_map` returns one tensor of floats, not {got}";
    custom_form() = "`custom_vjp` takes a function that returns one tensor of floats, and its rule";
    custom_result(want, got) = "the rule of `custom_vjp` gives a cotangent for each argument of floats, {want}, and this one {got}";
    control_arity(name) = "`{name}` is called as `cond(pred, || a, || b)` or `while_loop(most, state, |s| going, |s| next)`";
    control_form(name) = "`{name}` takes functions of tensors that return tensors: what else they read, a closure captures";
    cond_pred(what, got) = "{what} decides by one truth value, a `Tensor<bool>`, not {got}";
    cond_results(one, two) = "both branches of `cond` give the same types: the first gives {one}, this one {two}";
    while_max(got) = "`while_loop` takes how many turns it may take at most, a whole number known while compiling, not {got}";
    while_tensors(got) = "`while_loop` carries a tensor, or a tuple of tensors, not {got}";
    while_state(want, got) = "a turn of `while_loop` gives the state that it takes, {want}, not {got}";
    vmap_of_state(name) = "`{name}` changes state, which `vmap` can't: it has one state and many elements";
    vmap_scalar(text) = "`vmap` goes over the first dim of each tensor, and `{text}` has none: \
        let a closure capture what is the same for all, `vmap(|x| f(x, {text}))(xs)`";
    vmap_sizes(one, by, other, text) = "`vmap` goes over {one} elements by `{by}`, and over {other} by `{text}`";
    vmap_of_nothing() = "`vmap` goes over the first dim of each tensor among the arguments, and there is none";
    step_gradient(name, want, got) = "`{name}` is {want}, and its gradient {got}: of many gradients take the mean";
    // Shapes.
    transposed() = "the right side transposed would fit: `.t()`";
    rows(n) = "a right side with {n} rows would fit";
    one_dtype(left, right) = "cast one of them: `.to({left})` or `.to({right})`";
    differing(left, right) = "{left} and {right} differ";
    elements(n) = "the sizes must multiply to {n}; one may be −1 for what is left over";
    to_float(dtype) = "cast the {dtype}s first: `.to(f32)`";
}

/// The graph's words, the operands, and what would fit.
pub(crate) fn misfit(fault: &str, operands: &str, hint: &str) -> String {
    [fault, operands, hint].iter().filter(|s| !s.is_empty()).copied().collect::<Vec<_>>().join("; ")
}

pub(crate) fn axes(rank: usize) -> String {
    format!("dims are 0 to {}, or −1 to −{rank} from the back", rank - 1)
}

pub(crate) fn plain_function(name: &str, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("`{name}` is no model; did you mean `{near}`?"),
        None => {
            format!("`{name}` is no model: put `#[model]` on it, or `#[model(inline)]` for a building block")
        }
    }
}

pub(crate) fn unknown_function(name: &str, near: Option<&str>) -> String {
    format!("there is no function `{name}` here{}", nearest_hint(near))
}

pub(crate) fn unknown_name(name: &str, near: Option<&str>) -> String {
    format!("`{name}` isn't known here{}", nearest_hint(near))
}

pub(crate) fn unknown_field(of: &str, name: &str, known: &[&str]) -> String {
    format!("`{of}` has no field `{name}`{}", hint(name, known))
}

pub(crate) fn no_fields(what: &str, name: &str, method: bool) -> String {
    let call = if method { format!(": write `.{name}()`") } else { String::new() };
    format!("{what} has no field `{name}`{call}")
}

pub(crate) fn unknown_method(what: &str, name: &str, near: Option<&str>) -> String {
    format!("{what} has no method `{name}`{}", nearest_hint(near))
}

fn times(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(crate) fn generic_count(name: &str, wanted: usize, got: usize) -> String {
    format!("`{name}` has {}, not {got}", times(wanted, "size"))
}

pub(crate) fn argument_count(name: &str, wanted: &[String], got: usize) -> String {
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    format!("`{name}` takes {}, not {got}: {}", times(wanted.len(), "argument"), list(&names))
}

pub(crate) fn surface_count(name: &str, wanted: &[&str], got: usize, method: bool) -> String {
    let shown = if method {
        format!("x.{name}({})", wanted.join(", "))
    } else {
        format!("{name}({})", wanted.join(", "))
    };
    format!("`{name}` takes {}, not {got}: `{shown}`", times(wanted.len(), "argument"))
}

pub(crate) fn closure_count(wanted: usize, got: usize) -> String {
    format!("this closure takes {}, not {got}", times(wanted, "argument"))
}

pub(crate) fn cotangents(name: &str, wanted: usize, got: usize) -> String {
    format!(
        "`vjp` of `{name}` takes {} behind its arguments, one for each float result, not {got}",
        times(wanted, "cotangent")
    )
}

pub(crate) fn tangents(name: &str, wanted: usize, got: usize) -> String {
    format!(
        "`jvp` of `{name}` takes {} behind its arguments, one for each that it is differentiated by, not {got}",
        times(wanted, "tangent")
    )
}

pub(crate) fn surface_argument(name: &str, param: &str, kind: &str, got: &str, hint: &str) -> String {
    format!("`{param}` of `{name}` is {kind}, not {got}{hint}")
}

pub(crate) fn argument_type(name: &str, param: &str, want: &str, got: &str, hint: &str) -> String {
    format!("`{name}` takes `{param}: {want}`, not {got}{hint}")
}

pub(crate) fn argument_tensor(name: &str, param: &str, want: &str, got: &str, dtype: &str) -> String {
    let hint = if dtype.is_empty() { String::new() } else { format!("; cast it: `.to({dtype})`") };
    format!("`{name}` takes `{param}: {want}`, and {got}{hint}")
}

pub(crate) fn size_twice(name: &str, free: &str, one: &str, source: &str, other: &str, text: &str) -> String {
    format!("`{free}` of `{name}` is {one} by `{source}` and {other} by `{text}`")
}

pub(crate) fn result_array(name: &str, length: &str, got: &str) -> String {
    format!("`{name}` is declared to return an array of {length}, but this is {got}")
}

pub(crate) fn result_tuple(name: &str, wanted: usize, got: &str) -> String {
    format!("`{name}` is declared to return a tuple of {wanted}, but this is {got}")
}

pub(crate) fn pattern_count(what: &str, wanted: usize, got: usize) -> String {
    format!("this {what} pattern has {}, the value has {got}", times(wanted, "part"))
}
